package main

import (
	"crypto/rand"
	"crypto/rsa"
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
	fs.StringVar(&o.state, "state", "", "`DIR` that keeps a key and its certificate, which are made at the first start")
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

// stateFile holds the key and its certificate: one file, so that there is never one without the other.
const stateFile = "signing.pem"

// keptKey sets the key that a directory keeps, and makes it if there is none.
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
	path := filepath.Join(dir, stateFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = newKey(*c)
		if err == nil {
			err = writeFile(path, text)
		}
	}
	if err == nil {
		err = readPair(text, c)
	}
	if err != nil {
		return done, fmt.Errorf("%s: %w", path, err)
	}
	return done, nil
}

// newKey returns a new key and its certificate, which has the organisation's name.
func newKey(c mockidp.Config) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	idp, err := mockidp.Open(mockidp.Config{Org: c.Org, Key: key})
	if err != nil {
		return nil, err
	}
	text, err := configfile.FormatKey(key)
	return append(text, configfile.FormatCertificate(idp.Certificate())...), err
}

// readPair reads a key and its certificate. A damaged file is an error: a new key would lock out every service
// provider.
func readPair(text []byte, c *mockidp.Config) error {
	block, rest := pem.Decode(text)
	if block == nil {
		return errors.New("damaged: want a private key and its certificate in PEM; restore the file, or remove it for " +
			"a new key")
	}
	key, err := configfile.ParseKey(text[:len(text)-len(rest)])
	if err == nil {
		c.Key = key
		c.Certificate, err = configfile.ParseCertificate(rest)
	}
	if err == nil {
		_, err = mockidp.Open(mockidp.Config{Key: c.Key, Certificate: c.Certificate}) // that they belong together
	}
	if err != nil {
		return fmt.Errorf("damaged: %w; restore the file, or remove it for a new key", err)
	}
	return nil
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
