// Command telemetry shows the metrics and traces of a service provider. It starts a mock identity provider and a
// service provider on loopback, prints each span, and serves the metrics for Prometheus at an address of their own.
//
//	telemetry [-listen 127.0.0.1:8730] [-metrics 127.0.0.1:8731]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/acs/telemetry"
	"github.com/meridian-saml/meridian/examples/internal/program"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

func main() {
	program.Main("telemetry", func(ctx context.Context) (int, error) { return run(ctx, os.Args[1:], os.Stdout) })
}

func run(ctx context.Context, args []string, out io.Writer) (int, error) {
	fs := flag.NewFlagSet("telemetry", flag.ContinueOnError)
	listen := fs.String("listen", "127.0.0.1:8730", "`ADDRESS` of the service provider")
	metrics := fs.String("metrics", "127.0.0.1:8731", "`ADDRESS` of the metrics")
	if err := program.Parse(fs, "usage: telemetry [flags]", args, out, func() error { return nil }); err != nil {
		return program.Usage, err
	}
	service, err := net.Listen("tcp", *listen)
	if err != nil {
		return program.Usage, err
	}
	defer service.Close()
	scrape, err := net.Listen("tcp", *metrics)
	if err != nil {
		return program.Usage, err
	}
	defer scrape.Close()
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	described, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		return program.Failed, err
	}
	observed, stop, err := newObserved(out, map[string]string{described.EntityID(): idpName})
	if err != nil {
		return program.Failed, err
	}
	defer stop()
	base := fmt.Sprint("http://sp.localhost:", service.Addr().(*net.TCPAddr).Port)
	handler, closeMetadata, err := newService(base, idp, observed.telemetry)
	if err != nil {
		return program.Failed, err
	}
	defer closeMetadata()
	fmt.Fprintf(out, "Open     %s/login and sign in as %s, password %s\nMetrics  http://%s/metrics\n",
		base, mockidp.DefaultLogin, mockidp.DefaultPassword, scrape.Addr())
	ended := make(chan error, 2)
	go func() { ended <- newServer(handler).Serve(service) }()
	go func() { ended <- newServer(observed.metrics).Serve(scrape) }()
	select {
	case err = <-ended:
		return program.Failed, err
	case <-ctx.Done():
		return program.OK, nil
	}
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute,
	}
}

// region is the value of cloud.region, and idpName that of saml.idp.
const region, idpName = "eu-central-1", "mock"

// newService is a service provider whose federation, store and Region are observed.
func newService(base string, idp *mockidp.Server, t *telemetry.Telemetry) (http.Handler, func(), error) {
	idps, err := federation.Open(context.Background(), federation.Config{
		Sources: []federation.Source{{ // real metadata has a signature, and the Source its Keys
			Name: idpName, URL: idp.MetadataURL(""), InsecureUnverified: true, AllowPrivateAddresses: true,
		}},
		Observer: t, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	sp, err := saml.New(saml.Config{
		EntityID: base + "/saml", ACS: []saml.Endpoint{{URL: base + "/acs", Region: region}}, IdPs: idps,
	})
	if err != nil {
		return nil, idps.Close, err
	}
	served, err := acs.NewRegion(acs.Config{
		SP: sp, Region: region, Observer: t, Store: t.Store(acs.NewMemoryStore(acs.MemoryConfig{})),
		Logger:    slog.New(slog.DiscardHandler),
		ChooseIdP: func(*http.Request) string { return idps.EntityIDs()[0] },
		OnLogin: func(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprintln(w, "Signed in. The program prints the spans, and /metrics has the numbers.")
		},
	})
	if err != nil {
		return nil, idps.Close, err
	}
	mux := http.NewServeMux()
	served.Mount(mux, acs.Paths{Login: "/login"})
	metadata, err := sp.Metadata()
	if err != nil {
		return nil, idps.Close, err
	}
	return mux, idps.Close, idp.RegisterSP("", metadata)
}
