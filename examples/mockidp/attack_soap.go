package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// serveBackChannel answers the service provider's calls at the address in the metadata, until stop is called. Without
// such an address the attacks by artifacts and by answers to attribute queries are not run.
func (o *attackOptions) serveBackChannel() (stop func(), err error) {
	u, err := url.Parse(o.target.IdP.BackChannel)
	if err != nil {
		return nil, fmt.Errorf("the address of the back channel: %w", err)
	}
	address := o.soapListen
	switch {
	case u.Host == "" && address == "":
		return func() {}, nil
	case u.Host == "":
		return nil, fmt.Errorf("the identity provider's metadata has no address for calls by SOAP: make it with "+
			"-write-metadata DIR -soap-listen %s", address)
	case address == "":
		address = u.Host
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("-soap-listen: %w", err)
	}
	o.target.BackChannel = new(run.BackChannel)
	server := &http.Server{
		Handler: o.target.BackChannel, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute, // an attack sends an answer without an end
	}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }, nil
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}
