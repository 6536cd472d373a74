package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
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
		"VerifyOptions.ACS": "-acs", "VerifyOptions.RequestIDs": "-request-id",
		"VerifyOptions": "-request-id or -unsolicited",
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
	isField := strings.Contains(e.Rule, "Config.") || strings.Contains(e.Rule, "VerifyOptions")
	switch {
	case flag == "":
		flag = e.Rule
	case e.Rule != "" && e.Rule != string(e.Reason) && !isField:
		text = e.Rule + ": " + text
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

// readInput reads FILE, or standard input if file is empty. It reads one byte more than limit of a longer input.
func readInput(file string, stdin io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			b.Grow(int(min(info.Size(), limit)) + bytes.MinRead + 1) // so that a large file is not copied
		}
		stdin = f
	}
	_, err := b.ReadFrom(io.LimitReader(stdin, limit+1))
	return b.Bytes(), err
}

// addCert adds a certificate or a public key.
func addCert(cfg *saml.IdPConfig, path string) error {
	key, cert, err := publicKey("-idp-cert", path)
	switch {
	case err != nil:
		return err
	case cert != nil:
		cfg.Certificates = append(cfg.Certificates, cert)
	default:
		cfg.Keys = append(cfg.Keys, key)
	}
	return nil
}

// publicKey reads an RSA or ECDSA key from a certificate or a public key in PEM. cert is nil for the latter.
func publicKey(flag, path string) (key crypto.PublicKey, cert *x509.Certificate, err error) {
	block, err := onePEM(flag, path)
	if err != nil {
		return nil, nil, err
	}
	switch block.Type {
	case "CERTIFICATE":
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		err = fmt.Errorf("want a CERTIFICATE or a PUBLIC KEY, got %q", block.Type)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", flag, path, err)
	}
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return key, cert, nil
	}
	return nil, nil, fmt.Errorf("%s %s: want an RSA or ECDSA key, got %T", flag, path, key)
}

func decryptionKeys(paths []string) ([]crypto.Decrypter, error) {
	var keys []crypto.Decrypter
	for _, path := range paths {
		block, err := onePEM("-key", path)
		if err != nil {
			return nil, err
		}
		var key any
		switch block.Type {
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default:
			err = fmt.Errorf("want an RSA PRIVATE KEY or a PRIVATE KEY that is not encrypted, got %q", block.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("-key %s: %w", path, err)
		}
		private, ok := key.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("-key %s: want an RSA key, got %T", path, key)
		}
		keys = append(keys, private)
	}
	return keys, nil
}

// onePEM reads a file with exactly one block. Of a chain only the first certificate could be meant, so it is refused.
func onePEM(flag, path string) (*pem.Block, error) {
	raw, err := readFile(flag, path, maxPEM)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s %s: not in PEM", flag, path)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, fmt.Errorf("%s %s: want one PEM block a file, got several", flag, path)
	}
	return block, nil
}
