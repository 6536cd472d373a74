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

// The metadata of node-saml with its SingleLogoutService for HTTP-Redirect too,
// which it accepts at the same address and doesn't list.
exports.withRedirect = (metadata) => metadata.replace(/<SingleLogoutService [^>]*HTTP-POST[^>]*>/, (post) =>
  post.replace('HTTP-POST', 'HTTP-Redirect').replace(/([^/])>$/, '$1/>') + post);

// sp has login(session), consume(session, form) and metadata(), as in host.py;
// all may be promises. It may have logout(session, parameters, query), which
// returns where to send the browser.
exports.serve = (sp) => {
  const sessions = new Map();
  const sessionID = (req) => (/(?:^|; )session=([\w-]+)/.exec(req.headers.cookie || '') || [])[1];
  const known = (req) => sessions.get(sessionID(req)) || {};
  const begin = (values) => {
    const sid = crypto.randomBytes(24).toString('base64url');
    sessions.set(sid, values);
    return { 'Set-Cookie': `session=${sid}; Path=/; HttpOnly` };
  };
  const answer = (res, status, text, headers) =>
    res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(text);
  const body = async (req) => {
    let size = 0;
    const parts = [];
    for await (const part of req) {
      size += part.length;
      if (size > maxBody) return null;
      parts.push(part);
    }
    return Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()));
  };
  const refuse = (res, e) => {
    console.error(e);
    answer(res, 403, `refused: ${String((e && e.message) || e).slice(0, 500)}\n`);
  };
  const logout = async (req, res, parameters, query) => {
    if (!sp.logout) return answer(res, 404, 'no such page\n');
    let to;
    try {
      to = await sp.logout(known(req), parameters, query);
    } catch (e) {
      return refuse(res, e);
    }
    sessions.delete(sessionID(req));
    answer(res, 302, '', { Location: to });
  };
  const pages = {
    'GET /logout': (req, res) => {
      const query = req.url.split('?')[1] || '';
      return logout(req, res, Object.fromEntries(new URLSearchParams(query)), query);
    },
    'POST /logout': async (req, res) => {
      const form = await body(req);
      if (!form) return answer(res, 413, 'too much\n', { Connection: 'close' });
      return logout(req, res, form);
    },
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
      const form = await body(req);
      if (!form) return answer(res, 413, 'too much\n', { Connection: 'close' });
      let user;
      try {
        user = await sp.consume(known(req), form);
        if (!user) throw new Error('no user is named');
      } catch (e) {
        return refuse(res, e);
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
