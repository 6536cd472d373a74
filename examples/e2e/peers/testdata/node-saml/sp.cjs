// node-saml as a service provider. Beside what names the two sides and their
// keys, its configuration is the default: so it doesn't ask which request an
// answer is to. It reads no metadata, hence the lines that do.
'use strict';
const host = require('../host.cjs');
const { SAML } = require('@node-saml/node-saml');
const { DOMParser } = require('@xmldom/xmldom');

const md = 'urn:oasis:names:tc:SAML:2.0:metadata';
const ds = 'http://www.w3.org/2000/09/xmldsig#';
const all = (node, ns, name) => Array.from(node.getElementsByTagNameNS(ns, name));

const idp = new DOMParser().parseFromString(host.idpMetadata, 'text/xml');
const redirect = all(idp, md, 'SingleSignOnService').find((s) => s.getAttribute('Binding').endsWith(':HTTP-Redirect'));
const signing = all(idp, md, 'KeyDescriptor').filter((k) => k.getAttribute('use') !== 'encryption');

const saml = new SAML({
  callbackUrl: host.acs,
  entryPoint: redirect.getAttribute('Location'),
  issuer: host.entityID,
  idpCert: signing.flatMap((k) => all(k, ds, 'X509Certificate')).map((c) => c.textContent.replace(/\s/g, '')),
  decryptionPvk: host.key,
});

host.serve({
  login: () => saml.getAuthorizeUrlAsync('', undefined, {}),
  consume: async (session, form) => (await saml.validatePostResponseAsync(form)).profile.nameID,
  metadata: () => saml.generateServiceProviderMetadata(host.cert),
});
