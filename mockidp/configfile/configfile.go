// Package configfile reads and writes the configuration of package mockidp as JSON.
//
//	c, err := configfile.Read(file)
//	idp, err := mockidp.Open(c)
//	file, err = configfile.Write(idp.Config(), configfile.Options{})
//
// A key of the file is a field of mockidp.Config in lower camel case: SessionLifetime is "sessionLifetime", and ACS of
// an App is "acs". Two names differ: StandingMutations is "attacks", and App.Unlisted is "unlistedACS". Functions, the
// clock, the random source and the logger aren't in the file.
//
//   - A duration is text as in Go: "8h", "90m".
//   - A choice is a word, such as "both" for mockidp.SignBoth; CONFIG.md beside the program lists them.
//   - A certificate or a private key is text in PEM.
//
// A missing key and null are the field's zero value. An unknown or duplicate key, and data after the object, are
// errors. Errors are of type *mockidp.Error with the Reason Config; those of Read name the line and the key.
package configfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

// maxFile bounds what Read reads: a few thousand users and apps take a megabyte.
const maxFile = 8 << 20

// Read returns the configuration in a file of at most 8 MiB. mockidp.Open checks that its parts fit together.
func Read(doc []byte) (mockidp.Config, error) {
	var c mockidp.Config
	r, err := newReader(doc)
	if err == nil {
		err = r.read("", reflect.ValueOf(&c).Elem())
	}
	if err == nil {
		if _, end := r.json.Token(); !errors.Is(end, io.EOF) {
			err = r.bad("", "unexpected data after the configuration")
		}
	}
	if err != nil {
		return mockidp.Config{}, err
	}
	return c, nil
}

// Options describes what Write writes.
type Options struct {
	// PrivateKeys writes the signing keys, in the clear. Zero: the file has no keys and no certificates of keys, and no
	// app names its key.
	PrivateKeys bool
}

// Write returns the file for a configuration, which Read reads back to the same one, except for the fields that a file
// doesn't have. Zero values are left out. Passwords and second factors are in the clear.
func Write(c mockidp.Config, o Options) ([]byte, error) {
	if !o.PrivateKeys {
		c.Key, c.Certificate, c.Keys = nil, nil, nil
		c.Federation.Key, c.Federation.Certificate = nil, nil
		c.Apps = slices.Clone(c.Apps)
		for i := range c.Apps {
			c.Apps[i].KeyID = ""
		}
	}
	var compact, out bytes.Buffer
	if err := write(&compact, "", reflect.ValueOf(c)); err != nil {
		return nil, err
	}
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return nil, bad("", "%v", err) // compact is valid JSON
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
