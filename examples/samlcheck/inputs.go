package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

const (
	// maxMessage is more than package saml accepts, in both forms: what is longer is cut off here and refused
	// there, with ReasonLimit.
	maxMessage  = 8 << 20
	maxArchive  = 64 << 20 // a HAR file of a long session
	maxMetadata = 64 << 20
	maxPEM      = 1 << 20
)

// load reads the files that the flags name.
func (o *options) load() (err error) {
	if o.config.Now == nil { // one time for every verification
		at := time.Now()
		o.config.Now = func() time.Time { return at }
	}
	if o.idpMetadata == "" {
		for _, path := range o.idpCerts {
			if err := addCert(&o.idpByHand, path); err != nil {
				return err
			}
		}
		if o.config.IdP, err = saml.NewIdP(o.idpByHand); err != nil {
			return inFlags(err, map[string]string{"EntityID": "-idp-entity-id"}, "-idp-cert")
		}
	} else {
		raw, err := readFile("-idp-metadata", o.idpMetadata, maxMetadata)
		if err != nil {
			return err
		}
		if o.config.IdP, err = saml.ParseIdPMetadata(raw); err != nil {
			return inFlags(err, nil, "-idp-metadata "+o.idpMetadata)
		}
	}
	o.config.DecryptionKeys, err = decryptionKeys(o.keys)
	return err
}

// serviceProvider returns the service provider that the flags describe. An error names flags and not fields.
func (o *options) serviceProvider() (*saml.ServiceProvider, error) {
	cfg := o.config
	cfg.ACS = []saml.Endpoint{{URL: o.acs}}
	cfg.InsecureAllowHTTP = true // a capture was posted where it was posted
	sp, err := saml.New(cfg)
	if err != nil {
		return nil, inFlags(err, o.flagOf(), "")
	}
	return sp, nil
}

// flagOf maps the fields of a Config to the flags that fill them.
func (o *options) flagOf() map[string]string {
	m := map[string]string{
		"Config.ACS": "-acs", "Config.ACS[0]": "-acs", "Config.ACS[0].URL": "-acs",
		"Config.EntityID": "-entity-id", "Config.MaxAge": "-max-age", "Config.DecryptionKeys": "-key",
		"VerifyOptions.ACS": "-acs", "VerifyOptions": "-request-id or -unsolicited", "VerifyOptions.RequestIDs": "-request-id",
	}
	for i := range o.config.DecryptionKeys {
		flag := keyFlag // one that search made
		if i < len(o.keys) {
			flag = "-key " + o.keys[i]
		}
		m[fmt.Sprintf("Config.DecryptionKeys[%d]", i)] = flag
	}
	return m
}

// flagError is an error of package saml that names the flag that it is about.
type flagError struct {
	text string
	err  *saml.Error
}

func (e *flagError) Error() string { return e.text }
func (e *flagError) Unwrap() error { return e.err }

// inFlags names the flag of the field that an error is about, or the given one.
func inFlags(err error, flags map[string]string, otherwise string) error {
	var e *saml.Error
	if !errors.As(err, &e) {
		return err
	}
	flag, ok := flags[e.Rule]
	if !ok {
		flag = otherwise
	}
	text := strings.ReplaceAll(e.Explain(), "xmltree: ", "")
	if flag == "" {
		flag = e.Rule
	} else if r := e.Rule; r != "" && r != string(e.Reason) && !strings.Contains(r, "Config.") && !strings.Contains(r, "VerifyOptions") {
		text = r + ": " + text
	}
	return &flagError{strings.TrimSuffix(flag+": "+text, ": "), e}
}

func readFile(flag, path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s %s: longer than %d bytes", flag, path, limit)
	}
	return raw, nil
}

// read reads the input, from FILE or standard input.
func (o *options) read(stdin io.Reader) ([]byte, error) {
	if o.file != "" {
		f, err := os.Open(o.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		stdin = f
	}
	return io.ReadAll(io.LimitReader(stdin, maxArchive+1))
}
