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

// complete reads the files that flags name.
func (o *attackOptions) complete() error {
	var err error
	if o.keys != "" {
		o.target.IdP, err = run.ReadIdP(o.keys)
	} else {
		o.target.IdP, err = o.readKey()
	}
	if err != nil {
		return err
	}
	if o.idpEntityID != "" {
		o.target.IdP.EntityID = o.idpEntityID
	}
	if o.sso != "" {
		o.target.IdP.SSOURL = o.sso
	}
	if err := o.missing(); err != nil {
		return err
	}
	if o.target.Identity, err = regexp.Compile(o.identity); err != nil {
		return fmt.Errorf("-identity: %w", err)
	}
	if o.encryptTo != "" {
		der, err := readPEM(o.encryptTo)
		if err != nil {
			return fmt.Errorf("-encrypt-to: %w", err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("-encrypt-to: %w", err)
		}
		var ok bool
		if o.target.EncryptTo, ok = certificate.PublicKey.(*rsa.PublicKey); !ok {
			return fmt.Errorf("-encrypt-to: want an RSA key, got a %T", certificate.PublicKey)
		}
	}
	if o.ca != "" {
		text, err := os.ReadFile(o.ca)
		if err != nil {
			return err
		}
		o.target.RootCAs = x509.NewCertPool()
		if !o.target.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("-ca: no certificate in %s", o.ca)
		}
	}
	return nil
}

// missing names a flag that a run can't do without, as the user knows it.
func (o *attackOptions) missing() error {
	t := o.target
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
	return nil
}

// readKey makes an identity provider of a key that is trusted already.
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

// readPEM gives what the first block of a file holds.
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
