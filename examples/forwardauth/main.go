// Command forwardauth puts sign-in by SAML in front of applications that have none. A proxy asks it about each request:
// nginx by auth_request, Caddy and Traefik by forward authentication. FORWARDAUTH.md has their configurations.
//
//	forwardauth -applications applications.json -idp-metadata idp.xml [-key key.pem -certificate cert.pem]
//
// Sessions and pending sign-ins are in memory. After a restart users sign in again.
package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/program"
	"github.com/meridian-saml/meridian/saml"
)

func main() {
	program.Main("forwardauth", func(ctx context.Context) (int, error) { return run(ctx, os.Args[1:], os.Stdout) })
}

type options struct {
	listen, applications, idpMetadata, entityID, key, certificate, proxySecret string
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("forwardauth", flag.ContinueOnError)
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8730",
		"`ADDRESS` to listen on: a port of loopback, or unix:PATH for a socket that only the proxy may open,\n"+
			"or any other with -proxy-secret")
	fs.StringVar(&o.applications, "applications", "", "JSON `FILE` with the applications and their rules; required")
	fs.StringVar(&o.idpMetadata, "idp-metadata", "", "`FILE` with the identity provider's metadata; required")
	fs.StringVar(&o.entityID, "entity-id", "", "the `ID` of the service provider (default: the URL of its metadata at\n"+
		"the first application)")
	fs.StringVar(&o.key, "key", "", "`FILE` with the private key that signs logout messages, in PEM; with -certificate.\n"+
		"Without it, signing out doesn't reach the identity provider, and its logout doesn't arrive")
	fs.StringVar(&o.certificate, "certificate", "", "`FILE` with the certificate of -key, in PEM")
	fs.StringVar(&o.proxySecret, "proxy-secret", "", "`FILE` with what the proxy sends in the header "+secretHeader)
	return o, program.Parse(fs, "usage: forwardauth -applications FILE -idp-metadata FILE [flags]", args, help,
		func() error {
			switch {
			case o.applications == "" || o.idpMetadata == "":
				return errors.New("-applications FILE and -idp-metadata FILE are required")
			case (o.key == "") != (o.certificate == ""):
				return errors.New("-key and -certificate require each other")
			case o.proxySecret == "" && !local(o.listen):
				return errors.New("-listen: an address that other machines reach needs -proxy-secret")
			}
			return nil
		})
}

// local reports whether only this machine can connect to an address.
func local(listen string) bool {
	if strings.HasPrefix(listen, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(listen)
	return err == nil && saml.IsLoopback(host)
}

func run(ctx context.Context, args []string, out io.Writer) (int, error) {
	o, err := parse(args, out)
	if err != nil {
		return program.Usage, err
	}
	g, secret, err := o.load()
	if err != nil {
		return program.Usage, err
	}
	network, address := "tcp", o.listen
	if path, ok := strings.CutPrefix(o.listen, "unix:"); ok {
		network, address = "unix", path
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return program.Usage, err
	}
	for _, e := range g.sp.ACS() { // to be entered at the identity provider in this order
		fmt.Fprintln(out, "ACS URL     ", e.URL)
	}
	fmt.Fprintln(out, "Entity ID   ", g.sp.EntityID())
	fmt.Fprintln(out, "Listening on", l.Addr())
	server := &http.Server{
		Handler: onlyFromProxy(secret, g), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return program.Failed, err
	}
	return program.OK, nil
}

// load reads the files.
func (o *options) load() (g *gate, secret string, err error) {
	cfg := config{entityID: o.entityID, log: slog.Default()}
	text, err := os.ReadFile(o.applications)
	if err == nil {
		cfg.settings, err = readSettings(text)
	}
	if err != nil {
		return nil, "", fmt.Errorf("-applications: %w", err)
	}
	if cfg.idp, err = os.ReadFile(o.idpMetadata); err != nil {
		return nil, "", fmt.Errorf("-idp-metadata: %w", err)
	}
	if o.key != "" {
		pair, err := tls.LoadX509KeyPair(o.certificate, o.key)
		if err != nil {
			return nil, "", fmt.Errorf("-key, -certificate: %w", err)
		}
		cfg.key, cfg.certificate = pair.PrivateKey.(crypto.Signer), pair.Leaf
	}
	if o.proxySecret != "" {
		text, err := os.ReadFile(o.proxySecret)
		secret = strings.TrimSpace(string(text))
		if err == nil {
			err = checkSecret(secret)
		}
		if err != nil {
			return nil, "", fmt.Errorf("-proxy-secret: %w", err)
		}
	}
	g, err = newGate(cfg)
	return g, secret, err
}
