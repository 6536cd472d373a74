package peers_test

// metadataDifferences are all differences between what we read in metadata and
// what crewjam/saml 0.6.3 does. The first that matches explains. Those of "more/"
// are in Debian's source packages of lasso and lemonldap-ng.
var metadataDifferences = []metadataDifference{
	{
		says: `\S+: endpoint not by us: urn:(oasis:names:tc:SAML:2\.0:bindings:(SOAP|HTTP-Artifact)|mace:shibboleth:1\.0:profiles:AuthnRequest)( \S+)?`,
		why:  "requests are sent by HTTP-Redirect and HTTP-POST alone; other bindings are passed over",
	},
	{
		file: "express-saml2@1.4.1/",
		says: `schema-invalid: \S+: refused by us: signing keys`,
		why: "its KeyInfo is in the namespace of metadata, not in that of signatures; " +
			"crewjam finds no key in it either, and reports that when a response arrives",
	},
	{
		file: "crewjam/saml/testdata/Test",
		says: `schema-valid: document refused by crewjam: invalid url scheme "(javascript)?" for binding \S+`,
		why:  "a service provider's address with such a scheme is never used; crewjam refuses the whole document",
	},
	{
		file: "python3-keystone/",
		says: `k2k\.com/v3/OS-FEDERATION/idp: validUntil: \S+ \S+\.411289 \+0000 UTC by us, \S+ \S+\.411 \+0000 UTC`,
		why:  "crewjam rounds instants to a millisecond",
	},
	{
		file: "more/",
		says: `\S+: endpoint not by us: \S+ http://(idp5|federation\.sciences-po\.fr)/\S+`,
		why:  "requests are sent over plain http to loopback alone; other addresses are passed over",
	},
	{
		file: "more/",
		says: `schema-valid: urn:mace:(cru|cnrs)\.fr:\S+: refused by us: IDPSSODescriptor`,
		why:  "its roles speak SAML 1.1 and Shibboleth 1, not SAML 2.0; crewjam doesn't look at protocolSupportEnumeration",
	},
	{
		file: "more/",
		says: `schema-invalid: http://idp5/metadata: refused by us: signing keys`,
		why:  "its only key is a DSA key, which verifies no signature that either side accepts",
	},
	{
		file: "more/",
		says: `http://auth\.test\.com/saml/metadata: (keys without a certificate alone by us|endpoint not by us: urn:oasis:names:tc:SAML:2\.0:bindings:POST)`,
		why:  "crewjam doesn't read ds:KeyValue; the binding doesn't exist",
	},
}
