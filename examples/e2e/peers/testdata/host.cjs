// What the service providers in JavaScript have in common: the pages and the
// command line of host.py, and nothing of SAML.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');

const [port, idpMetadata, dir] = process.argv.slice(2);
const base = 'http://127.0.0.1:' + port;
const maxBody = 1 << 20;

exports.base = base;
exports.port = Number(port);
exports.acs = base + '/acs';
exports.entityID = base + '/metadata';
exports.idpMetadata = fs.readFileSync(idpMetadata, 'utf8');
exports.key = fs.readFileSync(path.join(dir, 'sp.key'), 'utf8');
exports.cert = fs.readFileSync(path.join(dir, 'sp.crt'), 'utf8');

// sp has login(session), consume(session, form) and metadata(), as in host.py;
// all may be promises.
exports.serve = (sp) => {
  const sessions = new Map();
  const known = (req) => {
    const m = /(?:^|; )session=([\w-]+)/.exec(req.headers.cookie || '');
    return (m && sessions.get(m[1])) || {};
  };
  const begin = (values) => {
    const sid = crypto.randomBytes(24).toString('base64url');
    sessions.set(sid, values);
    return { 'Set-Cookie': `session=${sid}; Path=/; HttpOnly` };
  };
  const answer = (res, status, text, headers) =>
    res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(text);
  const pages = {
    'GET /login': async (req, res) => {
      const session = {};
      const to = await sp.login(session);
      answer(res, 302, '', { Location: to, ...begin(session) });
    },
    'GET /metadata': async (req, res) =>
      answer(res, 200, await sp.metadata(), { 'Content-Type': 'application/samlmetadata+xml' }),
    'GET /whoami': async (req, res) => {
      const { user } = known(req);
      answer(res, 200, user ? `user=${user}\n` : 'signed out\n');
    },
    'POST /acs': async (req, res) => {
      let size = 0;
      const parts = [];
      for await (const part of req) {
        size += part.length;
        if (size > maxBody) return answer(res, 413, 'too much\n', { Connection: 'close' });
        parts.push(part);
      }
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()));
      let user;
      try {
        user = await sp.consume(known(req), form);
        if (!user) throw new Error('no user is named');
      } catch (e) {
        console.error(e);
        return answer(res, 403, `refused: ${String((e && e.message) || e).slice(0, 500)}\n`);
      }
      answer(res, 303, '', { Location: '/whoami', ...begin({ user }) });
    },
  };
  const server = http.createServer((req, res) => {
    const page = pages[`${req.method} ${req.url.split('?')[0]}`];
    if (!page) return answer(res, 404, 'no such page\n');
    page(req, res).catch((e) => {
      console.error(e);
      answer(res, 500, 'failed\n');
    });
  });
  server.listen(exports.port, '127.0.0.1', () => console.log('listening on ' + base));
};
