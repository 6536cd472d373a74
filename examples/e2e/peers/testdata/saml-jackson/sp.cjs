// saml-jackson (Ory Polis as a library) as a service provider. An application
// signs in at it by OAuth, and it at the identity provider by SAML. This is both:
// the application keeps the OAuth state in the browser's session. Beside what
// names the two sides and their keys, its configuration is the default, with
// records in memory.
'use strict';
const crypto = require('crypto');
const host = require('../host.cjs');
const { controllers } = require('@boxyhq/saml-jackson');

const client = { tenant: 'peers', product: 'host' };
const back = host.base + '/callback';
const base64 = (text) => Buffer.from(text).toString('base64');

const pages = ({ oauthController: oauth, spConfig }) => ({
  login: async (session) => {
    session.state = crypto.randomUUID();
    const request = { ...client, redirect_uri: back, response_type: 'code', state: session.state };
    return (await oauth.authorize(request)).redirect_url;
  },
  consume: async (session, form) => {
    const answer = new URL((await oauth.samlResponse(form)).redirect_url).searchParams;
    if (answer.get('error')) throw new Error(answer.get('error_description'));
    if (!session.state || answer.get('state') !== session.state) throw new Error('the OAuth state is another');
    const code = { code: answer.get('code'), grant_type: 'authorization_code', redirect_uri: back };
    const id = { client_id: `tenant=${client.tenant}&product=${client.product}`, client_secret: 'dummy' };
    const { access_token } = await oauth.token({ ...code, ...id });
    return (await oauth.userInfo(access_token)).id;
  },
  metadata: () => spConfig.toXMLMetadata(true),
});

controllers({
  externalUrl: host.base,
  samlPath: '/acs',
  samlAudience: host.entityID,
  certs: { publicKey: base64(host.cert), privateKey: base64(host.key) },
  db: { engine: 'mem' },
  noAnalytics: true,
}).then(async (jackson) => {
  await jackson.connectionAPIController.createSAMLConnection({
    ...client, rawMetadata: host.idpMetadata, defaultRedirectUrl: back, redirectUrl: [back],
  });
  host.serve(pages(jackson));
});
