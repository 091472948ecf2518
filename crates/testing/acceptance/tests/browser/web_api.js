// What a page of another origin does with Dataverse's Web API: makes a row, reads it, changes it, and asks several things in one.
const told = {};

async function ask(name, path, init) {
  const answer = await fetch(ROOT + path, Object.assign({}, init, {
    headers: Object.assign({ Authorization: 'Bearer ' + TOKEN, 'OData-MaxVersion': '4.0', 'OData-Version': '4.0', Accept: 'application/json' }, init.headers),
  }));
  const header = (field) => answer.headers.get(field);
  told[name] = { status: answer.status, type: answer.type, id: header('OData-EntityId'), etag: header('ETag'),
    applied: header('Preference-Applied'), hidden: header('x-ms-service-request-id'), body: await answer.text() };
  return told[name];
}

async function work() {
  const json = { 'Content-Type': 'application/json; charset=utf-8' };
  const made = await ask('make', 'accounts', { method: 'POST', headers: json,
    body: JSON.stringify({ name: 'Of a page', primarycontactid: { lastname: 'Berg' } }) });
  const row = made.id.slice(ROOT.length);
  await ask('read', row + '?$select=name&$expand=primarycontactid($select=fullname)', { method: 'GET',
    headers: { Prefer: 'odata.include-annotations="*"', 'If-None-Match': 'null' } });
  await ask('change', row, { method: 'PATCH', headers: Object.assign({ 'If-Match': '*', Prefer: 'return=representation' }, json),
    body: JSON.stringify({ telephone1: '555-0100' }) });
  const part = (request) => '--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n' + request + '\r\n\r\n';
  const change = '--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n'
    + 'PATCH ' + PATH + row + ' HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{"telephone1":"555-0199"}\r\n--changeset_1--\r\n';
  await ask('batch', '$batch', { method: 'POST', headers: { 'Content-Type': 'multipart/mixed;boundary=batch_1' },
    body: part('GET ' + PATH + row + '?$select=telephone1 HTTP/1.1')
      + '--batch_1\r\nContent-Type: multipart/mixed;boundary=changeset_1\r\n\r\n' + change
      + part('GET ' + PATH + row + '?$select=telephone1 HTTP/1.1') + '--batch_1--\r\n' });
  await ask('refused', 'accounts?$select=nope', { method: 'GET' });
  await ask('delete', row, { method: 'DELETE' });
}

work().catch((error) => { told.error = String(error); })
  .then(() => fetch('/report', { method: 'POST', body: JSON.stringify(told) }));
