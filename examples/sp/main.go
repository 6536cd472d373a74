// Command sp is a small service provider with all checks on. Its one page shows the signed-in user. It is meant to be
// copied.
//
//	sp -idp-metadata idp.xml [-base-url http://sp.localhost:8720] [-listen 127.0.0.1:8720]
//
// Several Regions run the same program with the same ordered list, and -region names the one that runs here:
//
//	sp -idp-metadata idp.xml -region eu-central-1 -listen :443 -tls-cert chain.pem -tls-key key.pem \
//	   -acs us-east-1=https://us-east-1.signin.example/saml/acs \
//	   -acs eu-central-1=https://eu-central-1.signin.example/saml/acs
//
// Without -tls-cert it serves plain http, for loopback or behind a proxy that terminates TLS and keeps the Host
// header. Behind a proxy give -client-header: otherwise all users share the limits of one client.
package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sp: "+strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(2)
	}
}

func run(args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	metadata, err := o.readMetadata()
	if err != nil {
		return err
	}
	handler, sp, err := newHandler(o, metadata)
	if err != nil {
		return o.inFlags(err)
	}
	if here := o.here(); o.tlsCert != "" && here != nil && here.Scheme != "https" {
		return fmt.Errorf("-tls-cert: browsers are sent to %s://%s, which is not https", here.Scheme, here.Host)
	}
	server := newServer(handler)
	if o.tlsCert != "" {
		pair, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
		if err != nil {
			return fmt.Errorf("-tls-cert, -tls-key: %w", err)
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	defer l.Close()
	announce(out, o, sp, l.Addr())
	if server.TLSConfig != nil {
		return server.ServeTLS(l, "", "")
	}
	return server.Serve(l)
}

// newServer sets timeouts: without them, slow clients use up the connections.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
}

// announce prints what to enter at the identity provider, and what to open.
func announce(out io.Writer, o options, sp *saml.ServiceProvider, at net.Addr) {
	fmt.Fprintln(out, "Entity ID    "+sp.EntityID())
	for _, e := range sp.ACS() { // to be entered at the identity provider in this order
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("ACS URL %d    %s  %s", *e.Index, e.URL, e.Region), " "))
	}
	fmt.Fprintln(out, "Listening on "+at.String())
	here := o.here()
	if here == nil {
		return
	}
	if here.Scheme == "https" && o.tlsCert == "" {
		fmt.Fprintln(out, "This is plain http. A proxy must terminate TLS for https://"+here.Host+
			", or use -tls-cert and -tls-key.")
	}
	fmt.Fprintln(out, "Open         "+here.Scheme+"://"+here.Host+"/")
}

// newHandler configures the service provider.
func newHandler(o options, idpMetadata []byte) (http.Handler, *saml.ServiceProvider, error) {
	idp, err := saml.ParseIdPMetadata(idpMetadata)
	if err != nil {
		return nil, nil, err
	}
	// The entity ID comes from the first URL of the list, because it must be the same in all Regions.
	first, err := url.Parse(o.acs[0].URL)
	if err != nil {
		return nil, nil, errors.New("-acs: the first URL can't be read") // err would repeat its password
	}
	sp, err := saml.New(saml.Config{
		EntityID: first.Scheme + "://" + first.Host + "/saml", ACS: o.acs, IdP: idp, InsecureAllowHTTP: o.insecureHTTP,
	})
	if err != nil {
		return nil, nil, err
	}
	var clientAddr func(*http.Request) string // nil: the connection's address
	if o.clientHeader != "" {
		clientAddr = func(r *http.Request) string { return r.Header.Get(o.clientHeader) }
	}
	users, err := newUsers()
	if err != nil {
		return nil, nil, err
	}
	guard, err := middleware.New(middleware.Config{
		Config: acs.Config{
			SP: sp, Region: o.region, Store: acs.NewMemoryStore(acs.MemoryConfig{}), // a shared store for several nodes
			ClientAddr: clientAddr,
			OnLoggedOut: func(w http.ResponseWriter, r *http.Request, _ *acs.LoggedOut) {
				http.Redirect(w, r, "/", http.StatusSeeOther)
			},
		},
		Sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}), // a restart signs all users out
		Paths:    middleware.Paths{Login: "/login", Logout: "/sign-out", Metadata: "/metadata", Refused: "/refused"},
		Admit:    users.admit,
	})
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	guard.Mount(mux)
	mux.Handle("GET /{$}", guard.Load(http.HandlerFunc(users.page)))
	return mux, sp, nil
}
