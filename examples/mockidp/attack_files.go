package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// complete reads the files that flags name, and checks that no flag is missing.
func (o *attackOptions) complete() error {
	t := &o.target
	var err error
	if o.keys != "" {
		t.IdP, err = run.ReadIdP(o.keys)
	} else {
		t.IdP, err = o.readKey()
	}
	if err != nil {
		return err
	}
	o.rename(t.IdP)
	switch {
	case t.Login == "" && !t.IdPInitiated:
		return errors.New("want -sp-login URL, or -idp-initiated")
	case t.ACS == "":
		return errors.New("want -acs URL, of the assertion consumer service (ACS)")
	case t.EntityID == "":
		return errors.New("want -entity-id ID")
	case t.Probe == "":
		return errors.New("want -probe URL")
	case o.identity == "":
		return errors.New("want -identity REGEXP")
	}
	if t.Identity, err = regexp.Compile(o.identity); err != nil {
		return fmt.Errorf("-identity: %w", err)
	}
	if o.encryptTo != "" {
		if t.EncryptTo, err = readRSACertificate(o.encryptTo); err != nil {
			return fmt.Errorf("-encrypt-to: %w", err)
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
	return nil
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
