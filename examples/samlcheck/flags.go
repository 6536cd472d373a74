package main

import (
	_ "embed" // usage
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// options are the flags.
type options struct {
	config      saml.Config    // without the ACS, and until load without IdP and DecryptionKeys
	idpByHand   saml.IdPConfig // of -idp-entity-id and -idp-cert
	idpMetadata string
	acs         string
	requestIDs  []string
	unsolicited bool
	resolveID   string
	entry       int // 0: the last
	json        bool
	file        string // empty: standard input

	idpCerts, keys []string // paths
}

// toggle is a flag that allows what is refused by default, or that demands more.
type toggle struct {
	name, usage string
	givesUp     string // by the flag, or by the end of one that demands more
	demands     bool
	field       func(*saml.Config) *bool
}

var toggles = []toggle{
	{
		name: "allow-expired-metadata", usage: "accept metadata that is past its validUntil",
		givesUp: "Keys that the identity provider has withdrawn stay trusted. Fetch its current metadata instead.",
		field:   func(c *saml.Config) *bool { return &c.InsecureAllowExpiredMetadata },
	}, {
		name: "allow-sha1", usage: "accept signatures and digests made with SHA-1",
		givesUp: "SHA-1 has collisions: a signature can be made to fit two documents. For old captures, not for sign-in.",
		field:   func(c *saml.Config) *bool { return &c.InsecureAllowSHA1 },
	}, {
		name: "allow-rsa1024", usage: "accept RSA keys from 1024 bits on (default: from 2048)",
		givesUp: "An attacker who factors so short a key can sign as the identity provider, or decrypt. " +
			"For old captures, not for sign-in.",
		field: func(c *saml.Config) *bool { return &c.InsecureAllowRSA1024 },
	}, {
		name: "allow-cbc", usage: "accept CBC encryption outside a verified signature",
		givesUp: "An attacker who has an encrypted assertion can send changed copies, and learn from the answers.",
		field:   func(c *saml.Config) *bool { return &c.InsecureAllowUnauthenticatedCBC },
	}, {
		name: "allow-rsa15", usage: "accept RSA 1.5 key transport",
		givesUp: "RSA 1.5 key transport is open to decryption oracles, which then also reach what was encrypted " +
			"to the same key with RSA-OAEP.",
		field: func(c *saml.Config) *bool { return &c.InsecureAllowRSA15 },
	}, {
		name: "allow-missing-nameid", usage: "accept an assertion without a NameID; an attribute identifies the user",
		givesUp: "The assertion names no subject: the service must identify users by an attribute, and check its presence.",
		field:   func(c *saml.Config) *bool { return &c.AllowMissingNameID },
	}, {
		name: "want-assertions-signed", usage: "refuse an assertion without a signature of its own", demands: true,
		givesUp: "What that flag demands beyond the defaults: the signature of the Response is then enough.",
		field:   func(c *saml.Config) *bool { return &c.WantAssertionsSigned },
	}, {
		name: "want-responses-signed", usage: "refuse a Response that is not signed itself", demands: true,
		givesUp: "What that flag demands beyond the defaults: Status and Destination are then not proved.",
		field:   func(c *saml.Config) *bool { return &c.WantResponsesSigned },
	},
}

//go:embed usage.txt
var usage string

func parse(args []string, help io.Writer) (options, error) {
	var o options
	fs := newFlagSet("samlcheck")
	once(fs, "idp-metadata",
		"the identity provider's metadata, a `FILE` with one identity provider in it", text(&o.idpMetadata))
	once(fs, "idp-entity-id", "without metadata: the identity provider's entity ID, a `URI`", text(&o.idpByHand.EntityID))
	fs.Func("idp-cert", "without metadata: `FILE` with a certificate or public key in PEM; repeatable", list(&o.idpCerts))
	once(fs, "entity-id",
		"the service provider's entity ID, a `URI`, which the assertion must name as its audience", text(&o.config.EntityID))
	once(fs, "acs", "the `URL` that the response was posted to, as the service provider lists it", text(&o.acs))
	fs.Func("request-id", "the `ID` of a request that may be answered; repeatable", list(&o.requestIDs))
	fs.BoolVar(&o.unsolicited, "unsolicited", false, "the response answers no request")
	once(fs, "resolve-id", "the `ID` of the ArtifactResolve that an answer by SOAP must be to", text(&o.resolveID))
	once(fs, "now", "verify as of this `TIME`, RFC 3339 such as 2026-01-02T15:04:05Z (default: now)", o.setNow)
	fs.Func("key", "`FILE` with an RSA private key in PEM, for decryption; repeatable", list(&o.keys))
	for _, t := range toggles {
		fs.BoolVar(t.field(&o.config), t.name, false, t.usage)
	}
	once(fs, "max-age", "how long after its IssueInstant an assertion can be used, a `DURATION` (default 1h)",
		positive(&o.config.MaxAge))
	once(fs, "entry", "of a HAR file or a SAML-tracer export: read the `N`th POST with a SAMLResponse, from 1 "+
		"(default: the last)", o.setEntry)
	fs.BoolVar(&o.json, "json", false, "write the report as JSON")
	var err error
	o.file, err = parseFlags(fs, args, help, usage, o.check)
	return o, err
}

// check checks the flags together.
func (o *options) check() error {
	byHand := o.idpByHand.EntityID != "" || len(o.idpCerts) > 0
	switch {
	case o.idpMetadata != "" && byHand:
		return errors.New("-idp-metadata excludes -idp-entity-id and -idp-cert")
	case o.idpMetadata == "" && !byHand:
		return errors.New("the identity provider is missing: -idp-metadata, or -idp-entity-id with -idp-cert")
	case byHand && o.idpByHand.EntityID == "":
		return errors.New("-idp-cert needs -idp-entity-id")
	case byHand && len(o.idpCerts) == 0:
		return errors.New("-idp-entity-id needs -idp-cert")
	case o.config.EntityID == "":
		return errors.New("-entity-id is missing")
	case o.acs == "":
		return errors.New("-acs is missing")
	case len(o.requestIDs) > 0 && o.unsolicited:
		return errors.New("-request-id and -unsolicited exclude each other")
	case len(o.requestIDs) == 0 && !o.unsolicited:
		return errors.New("-request-id or -unsolicited is missing: does the response answer a request?")
	}
	return nil
}

func (o *options) setNow(s string) error {
	at, err := parseTime(s)
	o.config.Now = func() time.Time { return at }
	return err
}

func (o *options) setEntry(s string) (err error) {
	if o.entry, err = strconv.Atoi(s); err != nil || o.entry < 1 {
		return errors.New("want a number from 1")
	}
	return nil
}
