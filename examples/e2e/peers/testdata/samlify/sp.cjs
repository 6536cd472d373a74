// samlify as a service provider. Beside what names the two sides and their keys,
// its configuration is the default. It wants a validator of schemas, and the one
// here is of those that its manual names. It is told beforehand whether
// assertions come encrypted: with PEER_ENCRYPTED=1 in the environment they do.
'use strict';
const host = require('../host.cjs');
const samlify = require('samlify');

const validator = require('@authenio/samlify-node-xmllint');
samlify.setSchemaValidator(validator);

const sp = samlify.ServiceProvider({
  entityID: host.entityID,
  assertionConsumerService: [{ Binding: samlify.Constants.namespace.binding.post, Location: host.acs }],
  privateKey: host.key,
  encPrivateKey: host.key,
  signingCert: host.cert,
  encryptCert: host.cert,
});
const idp = samlify.IdentityProvider({
  metadata: host.idpMetadata,
  isAssertionEncrypted: process.env.PEER_ENCRYPTED === '1',
});

const pages = {
  login: () => sp.createLoginRequest(idp, 'redirect').context,
  consume: async (session, form) => (await sp.parseLoginResponse(idp, 'post', { body: form })).extract.nameID,
  metadata: () => sp.getMetadata(),
};

// The first document takes it seconds, and all others hardly any time.
validator.validate('<any/>').catch(() => {}).then(() => host.serve(pages));
