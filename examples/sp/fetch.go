package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// Metadata is fetched once. For metadata that is verified and refreshed, see package acs/federation.
const (
	maxMetadata = 1 << 20          // bytes
	patience    = 30 * time.Second // with an identity provider that is starting
	pause       = 250 * time.Millisecond
)

// readMetadata reads the identity provider's metadata from the file or the URL of -idp-metadata. Who can change it
// can sign users in, so a URL has to be https, or of this machine, or -insecure-http accepts it.
func (o *options) readMetadata() ([]byte, error) {
	if !strings.HasPrefix(o.idpMetadata, "http://") && !strings.HasPrefix(o.idpMetadata, "https://") {
		return os.ReadFile(o.idpMetadata)
	}
	u, err := url.Parse(o.idpMetadata)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return nil, errors.New("-idp-metadata: want a FILE or a URL without a password")
	case u.Scheme == "http" && !saml.IsLoopback(u.Hostname()) && !o.insecureHTTP:
		return nil, fmt.Errorf("-idp-metadata %s: metadata by http can be forged on its way; use https", u.Redacted())
	}
	client := &http.Client{Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		body, starting, err := fetch(client, u.String())
		if err == nil {
			return body, nil
		}
		if !starting || time.Now().After(deadline) {
			return nil, fmt.Errorf("-idp-metadata: %w", err)
		}
	}
}

// fetch fetches a document. starting says that another try may succeed.
func fetch(client *http.Client, from string) (body []byte, starting bool, err error) {
	resp, err := client.Get(from)
	if err != nil {
		dial := new(net.OpError)
		return nil, errors.As(err, &dial), err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, resp.StatusCode >= 500, fmt.Errorf("%s: want status 200, got %s", from, resp.Status)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxMetadata+1))
	if err == nil && len(body) > maxMetadata {
		err = fmt.Errorf("%s: more than %d bytes", from, maxMetadata)
	}
	return body, err != nil && len(body) <= maxMetadata, err
}
