// node-saml as a service provider. Beside what names the two sides and their
// keys, its configuration is the default: so it doesn't ask which request an
// answer is to.
'use strict';
const host = require('../host.cjs');
const idp = require('./metadata.cjs')(host.idpMetadata);
const { SAML } = require('@node-saml/node-saml');

const saml = new SAML({ ...idp, callbackUrl: host.acs, issuer: host.entityID, decryptionPvk: host.key });

host.serve({
  login: () => saml.getAuthorizeUrlAsync('', undefined, {}),
  consume: async (session, form) => (await saml.validatePostResponseAsync(form)).profile.nameID,
  metadata: () => saml.generateServiceProviderMetadata(host.cert),
});
