package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

const (
	// maxMessage is past every message that package saml takes, in both forms:
	// what is longer is cut off here and refused there, with ReasonLimit.
	maxMessage  = 8 << 20
	maxMetadata = 64 << 20
	maxPEM      = 1 << 20
)

// serviceProvider is the one that the flags describe.
func (o *options) serviceProvider() (*saml.ServiceProvider, error) {
	idp, err := o.identityProvider()
	if err != nil {
		return nil, err
	}
	keys, err := o.decryptionKeys()
	if err != nil {
		return nil, err
	}
	cfg := saml.Config{
		EntityID:                        o.entityID,
		ACS:                             []saml.Endpoint{{URL: o.acs}},
		IdP:                             idp,
		DecryptionKeys:                  keys,
		MaxAge:                          o.maxAge,
		Now:                             o.now,
		InsecureAllowSHA1:               o.allowSHA1,
		InsecureAllowRSA1024:            o.allowRSA1024,
		InsecureAllowUnauthenticatedCBC: o.allowCBC,
		InsecureAllowRSA15:              o.allowRSA15,
		InsecureAllowHTTP:               true, // a capture was posted where it was posted
	}
	sp, err := saml.New(cfg)
	var e *saml.Error
	if errors.As(err, &e) {
		name := map[string]string{"Config.ACS[0].URL": "-acs", "Config.EntityID": "-entity-id", "Config.DecryptionKeys": "-key"}[e.Rule]
		for i, path := range o.keys {
			if e.Rule == fmt.Sprintf("Config.DecryptionKeys[%d]", i) {
				name = "-key " + path
			}
		}
		if name != "" {
			return nil, fmt.Errorf("%s: %s", name, e.Explain())
		}
	}
	return sp, err
}

func (o *options) identityProvider() (*saml.IdP, error) {
	if o.idpMetadata != "" {
		raw, err := readFile("-idp-metadata", o.idpMetadata, maxMetadata)
		if err != nil {
			return nil, err
		}
		idp, err := saml.ParseIdPMetadata(raw)
		if err != nil {
			return nil, fmt.Errorf("-idp-metadata %s: %s", o.idpMetadata, strings.TrimPrefix(err.Error(), "saml: "))
		}
		return idp, nil
	}
	cfg := saml.IdPConfig{EntityID: o.idpEntityID}
	for _, path := range o.idpCerts {
		if err := addCert(&cfg, path); err != nil {
			return nil, err
		}
	}
	return saml.NewIdP(cfg)
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

// read gives the message, from FILE or standard input.
func (o *options) read(stdin io.Reader) ([]byte, error) {
	if o.file != "" {
		f, err := os.Open(o.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		stdin = f
	}
	return io.ReadAll(io.LimitReader(stdin, maxMessage))
}
