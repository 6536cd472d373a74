package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

const (
	maxMetadata = 1 << 20          // bytes, as AddSP accepts
	fetchFor    = 30 * time.Second // how long a service provider may take to start
	fetchOnce   = 10 * time.Second // how long one request may take
	fetchPause  = 250 * time.Millisecond
)

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

// addSPFiles registers the service providers of -sp-metadata that are files.
func (o *options) addSPFiles(idp *mockidp.Server) error {
	return o.addSPs(idp, false, os.ReadFile)
}

// addSPURLs registers those that are URLs. The identity provider serves already, because service providers may read
// its metadata before they serve theirs.
func (o *options) addSPURLs(ctx context.Context, idp *mockidp.Server, out io.Writer) error {
	client := idp.OutboundClient()
	err := o.addSPs(idp, true, func(addr string) ([]byte, error) {
		fmt.Fprintln(out, "Waiting for the metadata of a service provider at "+addr)
		if a := idp.Apps()[0]; a.Audience == "" { // the app that it becomes
			fmt.Fprintln(out, "Until then, this identity provider's own metadata is at "+idp.MetadataURL(a.ID))
		}
		return fetch(ctx, client, addr)
	})
	if ctx.Err() != nil {
		return nil // the program was stopped
	}
	return err
}

func (o *options) addSPs(idp *mockidp.Server, urls bool, read func(string) ([]byte, error)) error {
	for _, from := range o.spMetadata {
		if isURL(from) != urls {
			continue
		}
		doc, err := read(from)
		var apps []mockidp.App
		if err == nil {
			apps, err = idp.AddSP(doc)
		}
		if err == nil {
			err = o.spSettings.apply(idp, apps)
		}
		if err != nil {
			return fmt.Errorf("-sp-metadata %s: %s", from, strings.TrimPrefix(err.Error(), "mockidp: "))
		}
	}
	idp.SetInitial() // the control API's reset keeps them
	return nil
}

// fetch gets a document. It tries again while the server can't be reached or has an error: programs that start
// together are ready at different times.
func fetch(ctx context.Context, client *http.Client, addr string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchFor)
	defer cancel()
	client.Timeout = fetchOnce
	var last error
	for {
		doc, final, err := get(ctx, client, addr)
		if err == nil || final {
			return doc, err
		}
		if last == nil || ctx.Err() == nil {
			last = err // rather than that the time is over
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no metadata within %v: %w", fetchFor, last)
		case <-time.After(fetchPause):
		}
	}
}

// get gets a document once. final reports that another try is in vain.
func get(ctx context.Context, client *http.Client, addr string) (doc []byte, final bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, addr, nil)
	if err != nil || req.URL.Host == "" {
		return nil, true, errors.New("invalid URL")
	}
	r, err := client.Do(req)
	if err != nil {
		return nil, false, errors.Unwrap(err) // without the address, which the caller names
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden,
			fmt.Errorf("the answer has the status %s", r.Status)
	}
	doc, err = io.ReadAll(io.LimitReader(r.Body, maxMetadata+1))
	if err == nil && len(doc) > maxMetadata {
		return nil, true, errors.New("the answer is over 1 MiB")
	}
	return doc, false, err
}
