// What node-saml's options need of the identity provider's metadata, which the
// library itself doesn't read.
'use strict';
const { DOMParser } = require('@xmldom/xmldom');

const md = 'urn:oasis:names:tc:SAML:2.0:metadata';
const ds = 'http://www.w3.org/2000/09/xmldsig#';
const all = (node, ns, name) => Array.from(node.getElementsByTagNameNS(ns, name));

module.exports = (metadata) => {
  const idp = new DOMParser().parseFromString(metadata, 'text/xml');
  const redirect = all(idp, md, 'SingleSignOnService').find((s) => s.getAttribute('Binding').endsWith(':HTTP-Redirect'));
  const signing = all(idp, md, 'KeyDescriptor').filter((k) => k.getAttribute('use') !== 'encryption');
  return {
    entryPoint: redirect.getAttribute('Location'),
    idpCert: signing.flatMap((k) => all(k, ds, 'X509Certificate')).map((c) => c.textContent.replace(/\s/g, '')),
  };
};
