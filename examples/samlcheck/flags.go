package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"time"
)

// options is the command line. Repeatable flags are slices.
type options struct {
	idpMetadata, idpEntityID string
	idpCerts                 []string
	entityID, acs            string
	requestIDs               []string
	unsolicited              bool
	now                      func() time.Time // nil: the current time; load fills it in
	keys                     []string
	allowSHA1, allowRSA1024  bool
	allowCBC, allowRSA15     bool
	allowMissingNameID       bool
	allowExpiredMetadata     bool
	wantAssertionsSigned     bool
	wantResponsesSigned      bool
	maxAge                   time.Duration
	entry                    int // 0: the last
	json                     bool
	file                     string // empty: standard input
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("samlcheck", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // an error is one line, printed by main
	fs.Usage = func() {}
	text := func(to *string) func(string) error {
		return func(s string) error { *to = s; return notEmpty(s) }
	}
	list := func(to *[]string) func(string) error {
		return func(s string) error { *to = append(*to, s); return notEmpty(s) }
	}
	once(fs, "idp-metadata", "the identity provider's metadata, a `FILE` with one identity provider in it", text(&o.idpMetadata))
	once(fs, "idp-entity-id", "without metadata: the identity provider's entity ID, a `URI`", text(&o.idpEntityID))
	fs.Func("idp-cert", "without metadata: `FILE` with a signing certificate or public key in PEM; repeatable", list(&o.idpCerts))
	once(fs, "entity-id", "the service provider's entity ID, a `URI`, which the assertion must name as its audience", text(&o.entityID))
	once(fs, "acs", "the `URL` that the response was posted to, as the service provider lists it: absolute, http or https", text(&o.acs))
	fs.Func("request-id", "the `ID` of a request that may be answered; repeatable", list(&o.requestIDs))
	fs.BoolVar(&o.unsolicited, "unsolicited", false, "the response answers no request")
	once(fs, "now", "judge as of this `TIME`, RFC 3339 such as 2026-01-02T15:04:05Z (default: the current time)", o.setNow)
	fs.Func("key", "`FILE` with an RSA private key in PEM, for decryption; repeatable", list(&o.keys))
	fs.BoolVar(&o.allowSHA1, "allow-sha1", false, "accept signatures and digests made with SHA-1")
	fs.BoolVar(&o.allowRSA1024, "allow-rsa1024", false, "accept RSA keys from 1024 bits on (default: from 2048)")
	fs.BoolVar(&o.allowCBC, "allow-cbc", false, "accept CBC encryption outside a verified signature")
	fs.BoolVar(&o.allowRSA15, "allow-rsa15", false, "accept RSA 1.5 key transport")
	fs.BoolVar(&o.allowMissingNameID, "allow-missing-nameid", false, "accept an assertion without a NameID; the service identifies users by an attribute")
	fs.BoolVar(&o.allowExpiredMetadata, "allow-expired-metadata", false, "accept metadata that is past its validUntil")
	fs.BoolVar(&o.wantAssertionsSigned, "want-assertions-signed", false, "refuse an assertion without a signature of its own")
	fs.BoolVar(&o.wantResponsesSigned, "want-responses-signed", false, "refuse a Response that is not signed itself")
	once(fs, "max-age", "how long after its IssueInstant an assertion can be used, a `DURATION` such as 30m (default 1h)", o.setMaxAge)
	once(fs, "entry", "of a HAR file or a SAML-tracer export: take the `N`th POST with a SAMLResponse, from 1 (default: the last)", o.setEntry)
	fs.BoolVar(&o.json, "json", false, "write the report as JSON")

	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(help, usage)
		fs.SetOutput(help)
		fs.PrintDefaults()
		return o, err
	case err != nil:
		return o, withHelp(err)
	case fs.NArg() > 1:
		return o, withHelp(fmt.Errorf("one FILE, after all flags; got %q", fs.Args()))
	}
	if o.file = fs.Arg(0); o.file == "-" {
		o.file = ""
	} else if o.file == "" && fs.NArg() == 1 {
		return o, withHelp(errors.New("FILE is empty"))
	}
	return o, withHelp(o.check())
}

// withHelp says how to get help, in an error of usage.
func withHelp(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (-h lists the flags)", err)
}

// once defines a flag that can't be given twice: of two values, one would be
// passed over in silence.
func once(fs *flag.FlagSet, name, usage string, set func(string) error) {
	given := false
	fs.Func(name, usage, func(s string) error {
		if given {
			return errors.New("given twice")
		}
		given = true
		return set(s)
	})
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	return nil
}

func (o *options) setNow(s string) error {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return errors.New("want an RFC 3339 time such as 2026-01-02T15:04:05Z")
	}
	o.now = func() time.Time { return at }
	return nil
}

func (o *options) setMaxAge(s string) (err error) {
	if o.maxAge, err = time.ParseDuration(s); err != nil || o.maxAge <= 0 {
		return errors.New("want a duration above zero, such as 30m")
	}
	return nil
}

func (o *options) setEntry(s string) (err error) {
	if o.entry, err = strconv.Atoi(s); err != nil || o.entry < 1 {
		return errors.New("want a number from 1")
	}
	return nil
}

// check looks at the flags together.
func (o *options) check() error {
	byHand := o.idpEntityID != "" || len(o.idpCerts) > 0
	switch {
	case o.idpMetadata != "" && byHand:
		return errors.New("-idp-metadata goes with neither -idp-entity-id nor -idp-cert")
	case o.idpMetadata == "" && !byHand:
		return errors.New("the identity provider is missing: -idp-metadata, or -idp-entity-id with -idp-cert")
	case byHand && o.idpEntityID == "":
		return errors.New("-idp-cert needs -idp-entity-id")
	case byHand && len(o.idpCerts) == 0:
		return errors.New("-idp-entity-id needs -idp-cert")
	case o.entityID == "":
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
