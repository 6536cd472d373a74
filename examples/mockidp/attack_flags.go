package main

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/program"
	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

func parseAttack(args []string, help io.Writer) (*attackOptions, error) {
	first, last := new(attackOptions), new(attackOptions)
	args, login := takeURL(first.flags(), args)
	fs := last.flags()
	err := program.Parse(fs, strings.TrimSuffix(attackUsage, "\n"), args, help, func() error {
		if login != "" && last.target.Login != "" {
			return fmt.Errorf("-sp-login and %q are both given", login)
		}
		last.target.Login = cmp.Or(login, last.target.Login)
		return last.check()
	})
	return last, err
}

// takeURL removes an argument that is no flag, at the beginning or the end: the address of the sign-in page.
func takeURL(scratch *flag.FlagSet, args []string) (rest []string, at string) {
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		return args[1:], args[0]
	}
	scratch.SetOutput(io.Discard)
	if scratch.Bool("version", false, ""); scratch.Parse(args) == nil && scratch.NArg() == 1 {
		return args[:len(args)-1], scratch.Arg(0)
	}
	return args, ""
}

func (o *attackOptions) flags() *flag.FlagSet {
	t := &o.target
	fs := flag.NewFlagSet("mockidp attack", flag.ContinueOnError)
	list := func(to *[]string) func(string) error {
		return func(s string) error {
			*to = append(*to, strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })...)
			return nil
		}
	}
	fs.BoolVar(&o.list, "list", false,
		"print one line an attack (ID, expected, severity if it is let in, title, reference), and exit")
	fs.StringVar(&o.write, "write-metadata", "",
		"write an identity provider's keys, certificates and metadata.xml to `DIR`, and exit")
	fs.StringVar(&o.keys, "keys", "",
		"`DIR` that -write-metadata made (default: "+defaultKeys+", which is made if there is none)")
	fs.StringVar(&o.otherKeys, "other-keys", "",
		"`DIR` that -write-metadata made with another -idp-entity-id: a second identity provider that the service "+
			"provider trusts")
	fs.StringVar(&t.OtherLogin, "other-login", "", "`URL` where a browser begins to sign in at -other-keys")
	fs.StringVar(&t.Discovery, "discovery", "",
		"`URL` to which a discovery service sends the browser back (default: the one in the metadata)")
	fs.StringVar(&o.metadataListen, "metadata-listen", "",
		"`ADDRESS` where the service provider reads the identity provider's metadata every few seconds, such as "+
			"127.0.0.1:8081; it pins publisher.crt in -keys")
	fs.DurationVar(&t.MetadataWait, "metadata-wait", 2*time.Minute,
		"how long the service provider takes until it reads metadata again, a `DURATION`")
	fs.StringVar(&o.soapListen, "soap-listen", "",
		"`ADDRESS` where the service provider resolves artifacts and asks for attributes, such as 127.0.0.1:8082; with "+
			"-write-metadata it goes into the metadata (default: the address in the metadata of -keys)")
	fs.StringVar(&t.ArtifactACS, "artifact-acs", "", "`URL` of the assertion consumer service for artifacts")
	fs.StringVar(&t.AttributeProbe, "attribute-probe", "",
		"`URL` of a page for which the service provider asks the identity provider for attributes, and that shows them")
	fs.StringVar(&o.idpMetadata, "idp-metadata", "",
		"`FILE` or URL of the metadata of a mock that the service provider trusts already; the mock's published test key "+
			"signs, or -key")
	fs.StringVar(&o.key, "key", "",
		"`FILE` with the RSA key of a test identity provider that the service provider trusts already, in PEM")
	fs.StringVar(&o.certificate, "cert", "", "`FILE` with the certificate of -key, in PEM (default: a new one)")
	fs.StringVar(&o.idpEntityID, "idp-entity-id", "",
		"the identity provider's entity `ID` (default: "+run.DefaultEntityID+")")
	fs.StringVar(&o.sso, "sso", "",
		"the identity provider's single sign-on `URL`; nothing listens there (default: "+run.DefaultSSOURL+")")
	fs.BoolVar(&o.weak, "weak-keys", false, "with -write-metadata, list an RSA key of 1024 bits too")
	fs.StringVar(&t.Login, "sp-login", "", "`URL` where a browser begins to sign in, as the argument")
	fs.StringVar(&o.spMetadata, "sp-metadata", "",
		"`FILE|URL` with the service provider's metadata, for -entity-id, -acs, -acs2, -artifact-acs, -sp-cert and logout")
	fs.StringVar(&t.ACS, "acs", "", "`URL` of the assertion consumer service")
	fs.StringVar(&t.OtherACS, "acs2", "", "another assertion consumer service `URL` of the same service provider")
	fs.StringVar(&t.EntityID, "entity-id", "", "the service provider's entity `ID`")
	fs.StringVar(&t.Probe, "probe", "", "`URL` of a page that names the signed-in user")
	fs.StringVar(&o.identity, "identity", "", "`REGEXP` that finds the user on that page; its first group is the name")
	fs.BoolVar(&t.IdPInitiated, "idp-initiated", false,
		"send unsolicited responses; the service provider makes no requests")
	fs.StringVar(&t.RelayState, "relay-state", "", "RelayState, a `TEXT`, of unsolicited responses")
	fs.StringVar(&t.Subject, "subject", "", "`NAME` of the user who signs in (default: alice@example.com)")
	fs.StringVar(&t.Forged, "forged", "", "`NAME` of the user that the attacker impersonates (default: admin@example.com)")
	fs.StringVar(&t.NameIDFormat, "nameid-format", "", "Format of NameID, a `URI` (default: that of emailAddress)")
	fs.StringVar(&t.IdentityAttribute, "identity-attribute", "",
		"`NAME` of an attribute that names the user, as NameID does")
	fs.Func("attribute", "`NAME=VALUE` of an attribute of the user; repeatable", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("want NAME=VALUE")
		}
		t.Attributes = addAttribute(t.Attributes, name, value)
		return nil
	})
	fs.Func("sign", "what is signed: `WAYS` among assertion, response and both (default: all)", func(s string) error {
		for _, word := range strings.Split(s, ",") {
			ways := []attack.Sign{attack.SignAssertion, attack.SignResponse, attack.SignBoth}
			at := slices.IndexFunc(ways, func(m attack.Sign) bool { return m.String() == word })
			if at < 0 {
				return fmt.Errorf("want assertion, response or both, got %q", word)
			}
			t.Sign = append(t.Sign, ways[at])
		}
		return nil
	})
	fs.StringVar(&o.encryptTo, "sp-cert", "", "`FILE` with the service provider's certificate for encryption, in PEM")
	fs.Func("only", "`IDS` to run, such as A, B01 or D48/get", list(&t.Only))
	fs.Func("skip", "`IDS` to leave out", list(&t.Skip))
	fs.Func("allow-host", "`HOST` beside this machine that may be attacked; repeatable", list(&t.AllowHosts))
	fs.StringVar(&o.ca, "ca", "", "`FILE` with certificates to trust on https, in PEM")
	fs.DurationVar(&t.Timeout, "timeout", 10*time.Second, "how long to wait for an answer, a `DURATION`")
	fs.DurationVar(&t.Recovery, "recovery", 2*time.Minute,
		"how long to wait for a service provider that stopped answering, a `DURATION`")
	fs.IntVar(&t.Concurrency, "parallel", 1, "how many attacks run at once, a `NUMBER`")
	fs.StringVar(&o.json, "json", "", "write the report as JSON to `FILE`; - is standard output, instead of the table")
	fs.StringVar(&o.junit, "junit", "", "write the report as JUnit XML to `FILE`")
	fs.BoolVar(&o.all, "all", false, "a row for every attack, not only for those let in or without a clear answer")
	fs.BoolVar(&o.verbose, "v", false, "as -all, and lines of progress where standard error is not a terminal")
	fs.BoolVar(&o.quiet, "q", false, "print no progress, and of the report only the last sentence")
	o.color = "auto"
	fs.Func("color", "`WHEN` to use colours: auto (default: on a terminal, unless NO_COLOR is set), always or never",
		func(s string) error {
			if !slices.Contains([]string{"auto", "always", "never"}, s) {
				return errors.New("want auto, always or never")
			}
			o.color = s
			return nil
		})
	return fs
}

// check checks the flags together.
func (o *attackOptions) check() error {
	switch t := &o.target; {
	case o.keys != "" && o.key != "":
		return errors.New("-keys and -key exclude each other")
	case o.keys != "" && o.idpMetadata != "":
		return errors.New("-keys and -idp-metadata exclude each other")
	case o.list || o.write != "":
	case t.Login == "" && !t.IdPInitiated:
		return errors.New("want the URL where a browser begins to sign in, or -idp-initiated")
	case t.IdPInitiated && t.ACS == "" && o.spMetadata == "":
		return errors.New("-idp-initiated needs -acs URL, of the assertion consumer service (ACS), or -sp-metadata")
	}
	switch {
	case o.target.OtherLogin != "" && o.otherKeys == "":
		return errors.New("-other-login requires -other-keys")
	case o.metadataListen != "" && (o.key != "" || o.idpMetadata != ""):
		return errors.New("-metadata-listen requires the keys of -keys or of the folder " + defaultKeys)
	case o.soapListen != "" && !isAddress(o.soapListen):
		return errors.New("-soap-listen: want HOST:PORT")
	case o.weak && o.write == "":
		return errors.New("-weak-keys requires -write-metadata")
	case o.certificate != "" && o.key == "":
		return errors.New("-cert requires -key")
	}
	return nil
}

func addAttribute(to []attack.Attribute, name, value string) []attack.Attribute {
	at := slices.IndexFunc(to, func(a attack.Attribute) bool { return a.Name == name })
	if at < 0 {
		return append(to, attack.Attribute{Name: name, Values: []string{value}})
	}
	to[at].Values = append(to[at].Values, value)
	return to
}

// complete reads the files that flags name.
func (o *attackOptions) complete(ctx context.Context) (err error) {
	t := &o.target
	if o.identity != "" {
		if t.Identity, err = regexp.Compile(o.identity); err != nil {
			return fmt.Errorf("-identity: %w", err)
		}
	}
	if o.encryptTo != "" {
		if t.EncryptTo, err = readRSACertificate(o.encryptTo); err != nil {
			return fmt.Errorf("-sp-cert: %w", err)
		}
	}
	if o.ca != "" {
		text, err := os.ReadFile(o.ca)
		if err != nil {
			return err
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("-ca: no certificate in %s", o.ca)
		}
	}
	if o.otherKeys != "" {
		if t.OtherIdP, err = run.ReadIdP(o.otherKeys); err != nil {
			return fmt.Errorf("-other-keys: %w", err)
		}
	}
	if t.IdP, err = o.readIdP(ctx); err != nil {
		return err
	}
	o.rename(t.IdP)
	return nil
}

// defaultKeys is the folder of the identity provider for who does not name one.
const defaultKeys = "attack-idp"

func (o *attackOptions) readIdP(ctx context.Context) (*run.IdP, error) {
	switch {
	case o.idpMetadata != "":
		return o.readMock(ctx)
	case o.key != "":
		return o.readKey()
	case o.keys != "":
		return run.ReadIdP(o.keys)
	}
	idp, err := run.ReadIdP(defaultKeys)
	if !errors.Is(err, fs.ErrNotExist) {
		return idp, err
	}
	if _, err := os.Stat(defaultKeys); err == nil {
		return nil, fmt.Errorf("%s has no identity provider; give -keys DIR or -key FILE", defaultKeys)
	}
	if idp, err = o.newIdP(defaultKeys); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("an identity provider was made in %[1]s: have the service provider trust %[1]s/metadata.xml "+
		"(entity ID %[2]s, single sign-on URL %[3]s), and run this again; or give what it trusts already: -key "+
		"FILE, or for a mock on loopback -idp-metadata FILE",
		defaultKeys, idp.EntityID, idp.SSOURL)
}

// readKey returns an identity provider with a key that is trusted already.
func (o *attackOptions) readKey() (*run.IdP, error) {
	text, err := os.ReadFile(o.key)
	if err != nil {
		return nil, err
	}
	key, err := run.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	own, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("-key: want an RSA key, got a %T", key)
	}
	idp := &run.IdP{RSA: own}
	if o.certificate != "" {
		der, err := readPEM(o.certificate)
		if err != nil {
			return nil, fmt.Errorf("-cert: %w", err)
		}
		idp.Certificates = map[crypto.Signer][]byte{own: der}
	}
	return idp, nil
}

func readRSACertificate(path string) (*rsa.PublicKey, error) {
	der, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("want an RSA key, got a %T", certificate.PublicKey)
	}
	return key, nil
}

// readPEM returns the content of a file's first block.
func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	return block.Bytes, nil
}
