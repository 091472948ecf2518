// Required by the test around a Node client: whatever it asks for but localhost is written down and not found.
const dns = require("node:dns");

const lookup = dns.lookup;
dns.lookup = (name, ...rest) => {
  if (name === "localhost") {
    return lookup(name, ...rest);
  }
  console.error(`asked for ${name}`);
  const callback = rest.pop();
  process.nextTick(callback, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" }));
};
