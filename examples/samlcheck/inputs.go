package main

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

const (
	// maxMessage is past every message that package saml takes, in both forms:
	// what is longer is cut off here and refused there, with ReasonLimit.
	maxMessage  = 8 << 20
	maxArchive  = 64 << 20 // a HAR file of a long session
	maxMetadata = 64 << 20
	maxPEM      = 1 << 20
)

// setup is a service provider as the flags describe it, with the files read.
// It is copied to try other flags; its slices are never changed in place.
type setup struct {
	options
	idp       *saml.IdP
	idpByHand saml.IdPConfig // that idp was made from; empty with metadata
	open      []crypto.Decrypter
}

// load reads the files that the flags name.
func (o options) load() (s setup, err error) {
	s.options = o
	if o.now == nil { // one time for every judgement
		at := time.Now()
		s.now = func() time.Time { return at }
	}
	if o.idpMetadata == "" {
		s.idpByHand.EntityID = o.idpEntityID
		for _, path := range o.idpCerts {
			if err := addCert(&s.idpByHand, path); err != nil {
				return s, err
			}
		}
		if s.idp, err = saml.NewIdP(s.idpByHand); err != nil {
			return s, inFlags(err, map[string]string{"EntityID": "-idp-entity-id"}, "-idp-cert")
		}
	} else {
		raw, err := readFile("-idp-metadata", o.idpMetadata, maxMetadata)
		if err != nil {
			return s, err
		}
		if s.idp, err = saml.ParseIdPMetadata(raw); err != nil {
			return s, inFlags(err, nil, "-idp-metadata "+o.idpMetadata)
		}
	}
	s.open, err = o.decryptionKeys()
	return s, err
}

// serviceProvider makes it. An error names flags and not fields.
func (s setup) serviceProvider() (*saml.ServiceProvider, error) {
	sp, err := saml.New(saml.Config{
		EntityID:                        s.entityID,
		ACS:                             []saml.Endpoint{{URL: s.acs}},
		IdP:                             s.idp,
		DecryptionKeys:                  s.open,
		MaxAge:                          s.maxAge,
		Now:                             s.now,
		AllowMissingNameID:              s.allowMissingNameID,
		WantAssertionsSigned:            s.wantAssertionsSigned,
		WantResponsesSigned:             s.wantResponsesSigned,
		InsecureAllowSHA1:               s.allowSHA1,
		InsecureAllowRSA1024:            s.allowRSA1024,
		InsecureAllowUnauthenticatedCBC: s.allowCBC,
		InsecureAllowRSA15:              s.allowRSA15,
		InsecureAllowExpiredMetadata:    s.allowExpiredMetadata,
		InsecureAllowHTTP:               true, // a capture was posted where it was posted
	})
	if err != nil {
		return nil, inFlags(err, s.flagOf(), "")
	}
	return sp, nil
}

// flagOf maps the fields of a Config to the flags that fill them.
func (s setup) flagOf() map[string]string {
	m := map[string]string{
		"Config.ACS": "-acs", "Config.ACS[0]": "-acs", "Config.ACS[0].URL": "-acs", "Config.EntityID": "-entity-id", "Config.MaxAge": "-max-age",
		"Config.DecryptionKeys": "-key", "VerifyOptions.ACS": "-acs", "VerifyOptions": "-request-id or -unsolicited", "VerifyOptions.RequestIDs": "-request-id",
	}
	for i := range s.open {
		flag := keyFlag // one that search made
		if i < len(s.keys) {
			flag = "-key " + s.keys[i]
		}
		m[fmt.Sprintf("Config.DecryptionKeys[%d]", i)] = flag
	}
	return m
}

// flagError is an error of package saml that says which flag it is about.
type flagError struct {
	flag string
	err  *saml.Error
}

func (e *flagError) Error() string {
	text := e.err.Explain()
	if e.flag == "" {
		e.flag = e.err.Rule
	} else if r := e.err.Rule; r != "" && r != string(e.err.Reason) && !strings.Contains(r, "Config.") && !strings.Contains(r, "VerifyOptions") {
		text = r + ": " + text
	}
	return strings.TrimSuffix(e.flag+": "+strings.ReplaceAll(text, "xmltree: ", ""), ": ")
}

func (e *flagError) Unwrap() error { return e.err }

// inFlags names the flag of the field that an error is about, or the one given.
func inFlags(err error, flags map[string]string, otherwise string) error {
	var e *saml.Error
	if !errors.As(err, &e) {
		return err
	}
	if flag, ok := flags[e.Rule]; ok {
		return &flagError{flag, e}
	}
	return &flagError{otherwise, e}
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

// read gives the input, from FILE or standard input.
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
