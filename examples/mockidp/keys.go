package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

// keyOptions are the flags of the key that signs.
type keyOptions struct{ key, cert, state string }

func (o *keyOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.key, "key", "", "PEM `FILE` of the private key that signs: PKCS #8, PKCS #1 or SEC 1 (default: on loopback "+
		"a published test key, which no service provider may trust; elsewhere a new key at each start)")
	fs.StringVar(&o.cert, "cert", "", "PEM `FILE` of the certificate of -key (default: a self-signed one)")
	fs.StringVar(&o.state, "state", "", "`DIR` that keeps a key and its certificate, and those of the federation, "+
		"which are made at the first start")
}

func (o *keyOptions) check() error {
	switch {
	case o.cert != "" && o.key == "":
		return errors.New("-cert requires -key")
	case o.state != "" && o.key != "":
		return errors.New("-state and -key exclude each other")
	}
	return nil
}

// apply sets the key of a configuration. The returned function frees the directory of -state.
func (o *keyOptions) apply(c *mockidp.Config, onLoopback bool) (done func(), err error) {
	done = func() {}
	switch {
	case o.key != "":
		err = o.read(c)
	case o.state != "":
		if c.Key != nil {
			return done, errors.New("-state: the configuration file has a key already")
		}
		c.InsecureTestKey = false
		done, err = keptKey(o.state, c)
		if err != nil {
			err = fmt.Errorf("-state: %w", err)
		}
	case c.Key == nil && c.Certificate == nil && onLoopback:
		c.InsecureTestKey = true
	}
	return done, err
}

func (o *keyOptions) read(c *mockidp.Config) error {
	c.Key, c.Certificate, c.InsecureTestKey = nil, nil, false
	text, err := os.ReadFile(o.key)
	if err == nil {
		c.Key, err = configfile.ParseKey(text)
	}
	if err != nil {
		return fmt.Errorf("-key %s: %w", o.key, err)
	}
	if o.cert == "" {
		return nil
	}
	if text, err = os.ReadFile(o.cert); err == nil {
		c.Certificate, err = configfile.ParseCertificate(text)
	}
	if err != nil {
		return fmt.Errorf("-cert %s: %w", o.cert, err)
	}
	return nil
}

// The files hold a key and its certificate each: one file, so that there is never one without the other.
const (
	stateFile      = "signing.pem"
	federationFile = "federation.pem"
)

// keptKey sets the keys that a directory keeps, and makes those that it lacks.
func keptKey(dir string, c *mockidp.Config) (done func(), err error) {
	done = func() {}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return done, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return done, err
	}
	if err := lockFile(lock); err != nil {
		_ = lock.Close()
		return done, fmt.Errorf("%s: %w", dir, err)
	}
	done = func() { _ = errors.Join(unlockFile(lock), lock.Close()) }
	c.Key, c.Certificate, err = keptPair(filepath.Join(dir, stateFile), c.Org, (*mockidp.Server).Certificate)
	if err == nil && c.Federation.Key == nil {
		c.Federation.Key, c.Federation.Certificate, err = keptPair(filepath.Join(dir, federationFile), c.Org,
			(*mockidp.Server).FederationCertificate)
	}
	return done, err
}

// keptPair returns the key and the certificate in a file, and makes them if there is none. made returns the
// certificate of a new key, which has the organisation's name.
func keptPair(path, org string, made func(*mockidp.Server) *x509.Certificate) (
	key crypto.Signer, cert *x509.Certificate, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = newPair(org, made)
		if err == nil {
			err = writeFile(path, text)
		}
	}
	if err == nil {
		key, cert, err = readPair(text)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, cert, nil
}

func newPair(org string, made func(*mockidp.Server) *x509.Certificate) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	idp, err := mockidp.Open(mockidp.Config{Org: org, Key: key, Federation: mockidp.Federation{Key: key}})
	if err != nil {
		return nil, err
	}
	text, err := configfile.FormatKey(key)
	return append(text, configfile.FormatCertificate(made(idp))...), err
}

// readPair reads a key and its certificate. A damaged file is an error: a new key would lock out every service
// provider.
func readPair(text []byte) (crypto.Signer, *x509.Certificate, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, nil, errors.New("damaged: want a private key and its certificate in PEM; restore the file, or remove " +
			"it for a new key")
	}
	var cert *x509.Certificate
	key, err := configfile.ParseKey(text[:len(text)-len(rest)])
	if err == nil {
		cert, err = configfile.ParseCertificate(rest)
	}
	if err == nil {
		_, err = mockidp.Open(mockidp.Config{Key: key, Certificate: cert}) // that they belong together
	}
	if err != nil {
		return nil, nil, fmt.Errorf("damaged: %w; restore the file, or remove it for a new key", err)
	}
	return key, cert, nil
}

// writeFile writes a file as a whole or not at all, for this user only.
func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // its mode is 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
