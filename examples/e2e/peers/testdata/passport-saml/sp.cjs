// passport-saml in an Express application with Passport's sessions, as its README
// shows. Beside what names the two sides and their keys, its configuration is
// the default. An error is answered with 403, not with Express's 500, so that
// a refusal differs from a crash.
'use strict';
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { Strategy } = require('@node-saml/passport-saml');
const host = require('../host.cjs');
const idp = require('../node-saml/metadata.cjs')(host.idpMetadata);

const user = (profile, done) => done(null, { name: profile.nameID });
const strategy = new Strategy(
  {
    ...idp,
    callbackUrl: host.acs,
    logoutCallbackUrl: host.base + '/logout',
    issuer: host.entityID,
    decryptionPvk: host.key,
  },
  user,
  user,
);
passport.use(strategy);
passport.serializeUser((u, done) => done(null, u));
passport.deserializeUser((u, done) => done(null, u));

const app = express();
app.use(session({ secret: 'for tests', resave: false, saveUninitialized: false }));
app.use(passport.session());
app.get('/login', passport.authenticate('saml'));
app.post(
  '/acs',
  express.urlencoded({ extended: false }),
  passport.authenticate('saml', { failureRedirect: '/refused' }),
  (req, res) => res.redirect(303, '/whoami'),
);
const noRequest = (req, res) => res.status(403).send('no LogoutRequest\n'); // it has sent none that could be answered
app.get('/logout', passport.authenticate('saml'), noRequest);
app.post('/logout', express.urlencoded({ extended: false }), passport.authenticate('saml'), noRequest);
app.get('/refused', (req, res) => res.status(403).send('refused\n'));
app.get('/metadata', (req, res) =>
  res
    .type('application/samlmetadata+xml')
    .send(host.withRedirect(strategy.generateServiceProviderMetadata(host.cert))));
app.get('/whoami', (req, res) =>
  res.type('text/plain').send(req.user && req.user.name ? `user=${req.user.name}\n` : 'signed out\n'));
app.use((e, req, res, next) => {
  console.error(e);
  res.status(403).type('text/plain').send(`refused: ${String((e && e.message) || e).slice(0, 500)}\n`);
});
app.listen(host.port, '127.0.0.1', () => console.log('listening on ' + host.base));
