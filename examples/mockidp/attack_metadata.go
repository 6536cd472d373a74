package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// serveMetadata serves the identity provider's metadata at -metadata-listen, until stop is called. It returns when the
// service provider has read it.
func (o *attackOptions) serveMetadata(ctx context.Context) (stop func(), err error) {
	if o.metadataListen == "" {
		return func() {}, nil
	}
	dir := cmp.Or(o.keys, defaultKeys)
	publisher, err := o.publisher(dir)
	if err != nil {
		return nil, err
	}
	if o.target.Metadata, err = run.NewMetadataServer(o.target.IdP, publisher); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.metadataListen)
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler: o.target.Metadata, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}
	go func() { _ = server.Serve(listener) }()
	stop = func() { _ = server.Close() }
	ctx, cancel := context.WithTimeout(ctx, o.target.MetadataWait)
	defer cancel()
	if err := o.target.Metadata.Await(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("the service provider has not read http://%s/metadata.xml twice within %v: %w",
			o.metadataListen, o.target.MetadataWait, err)
	}
	return stop, nil
}

// publisher reads the key that signs metadata. If there is none, it makes one, and returns an error that says what to
// do with it.
func (o *attackOptions) publisher(dir string) (*rsa.PrivateKey, error) {
	path := filepath.Join(dir, "publisher.key")
	text, err := os.ReadFile(path)
	if err == nil {
		key, err := run.ParseKey(text)
		if own, ok := key.(*rsa.PrivateKey); ok {
			return own, nil
		}
		return nil, fmt.Errorf("%s: want an RSA key, got a %T (%v)", path, key, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	server, err := run.NewMetadataServer(o.target.IdP, key)
	if err != nil {
		return nil, err
	}
	for name, block := range map[string]*pem.Block{
		"publisher.key": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
		"publisher.crt": {Type: "CERTIFICATE", Bytes: server.Certificate()},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("a publisher's key was made in %[1]s: have the service provider read "+
		"http://%[2]s/metadata.xml every few seconds, pinned to %[1]s/publisher.crt, and run this again",
		dir, o.metadataListen)
}
