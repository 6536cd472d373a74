// node-saml as a service provider. Beside what names the two sides and their
// keys, its configuration is the default: so it doesn't ask which request an
// answer is to. A LogoutRequest ends the session of its NameID.
'use strict';
const host = require('../host.cjs');
const idp = require('./metadata.cjs')(host.idpMetadata);
const { SAML } = require('@node-saml/node-saml');

const saml = new SAML({
  ...idp,
  callbackUrl: host.acs,
  logoutCallbackUrl: host.base + '/logout',
  issuer: host.entityID,
  decryptionPvk: host.key,
});

host.serve({
  login: () => saml.getAuthorizeUrlAsync('', undefined, {}),
  consume: async (session, form) => (await saml.validatePostResponseAsync(form)).profile.nameID,
  logout: async (session, parameters, query) => {
    const { profile } = query === undefined
      ? await saml.validatePostRequestAsync(parameters)
      : await saml.validateRedirectAsync(parameters, query);
    if (!profile) throw new Error('no LogoutRequest'); // it has sent none that this could answer
    if (profile.nameID !== session.user) throw new Error('another user');
    return saml.getLogoutResponseUrlAsync(profile, parameters.RelayState || '', {}, true);
  },
  metadata: () => host.withRedirect(saml.generateServiceProviderMetadata(host.cert)),
});
