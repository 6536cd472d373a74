package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

type options struct {
	listen, idpMetadata, baseURL, region string
	acs                                  []saml.Endpoint // ordered: the first is the default
	byBaseURL                            bool            // acs was made from baseURL
	tlsCert, tlsKey                      string
	clientHeader                         string // "": the connection has the client's address
	insecureHTTP                         bool
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	malformed := false
	fs := flag.NewFlagSet("sp", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // an error is one line, printed by main
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8720", "`ADDRESS` to listen on")
	fs.StringVar(&o.idpMetadata, "idp-metadata", "", "`FILE` with the metadata of one identity provider, or a URL that it is\n"+
		"fetched from once, with retries while the identity provider starts; required")
	fs.StringVar(&o.baseURL, "base-url", "http://sp.localhost:8720",
		"the `URL` that browsers use, where there is one Region")
	fs.StringVar(&o.region, "region", "", "the `NAME` of the Region that runs here (default: the first of -acs)")
	fs.Func("acs", "`REGION=URL` of an assertion consumer service; repeatable, in the order of the identity provider's "+
		"app (default: BASE-URL/saml/acs)", func(s string) error {
		region, url, ok := strings.Cut(s, "=")
		if !ok || region == "" || url == "" {
			malformed = true // an error from here would repeat s, and a URL's password
		}
		o.acs = append(o.acs, saml.Endpoint{URL: url, Region: region})
		return nil
	})
	fs.StringVar(&o.tlsCert, "tls-cert", "", "`FILE` with the certificate chain to serve TLS with, in PEM; with -tls-key")
	fs.StringVar(&o.tlsKey, "tls-key", "", "`FILE` with the private key of -tls-cert, in PEM")
	fs.StringVar(&o.clientHeader, "client-header", "",
		"the `NAME` of the header in which a proxy passes the client's address, such as X-Real-IP;\n"+
			"the proxy must replace what a client sends in it (default: none, the connection's address)")
	fs.BoolVar(&o.insecureHTTP, "insecure-http", false, "accept http URLs of other hosts than loopback, for tests in a "+
		"closed network;\nbrowsers keep this program's cookies only for https and for localhost")
	version := fs.Bool("version", false, "print the version, and exit")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "usage: sp -idp-metadata FILE [flags]")
		fs.SetOutput(help)
		fs.PrintDefaults()
	case err != nil:
	case *version:
		if info, ok := debug.ReadBuildInfo(); ok {
			fmt.Fprintln(help, "sp", info.Main.Version, info.GoVersion)
		}
		err = flag.ErrHelp
	case fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case malformed:
		err = errors.New("-acs: want REGION=URL")
	case o.idpMetadata == "":
		err = errors.New("-idp-metadata FILE is required")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		err = errors.New("-tls-cert and -tls-key require each other")
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = fmt.Errorf("%w (-h lists the flags)", err)
	}
	if o.byBaseURL = len(o.acs) == 0; o.byBaseURL {
		o.acs = []saml.Endpoint{{URL: strings.TrimRight(o.baseURL, "/") + "/saml/acs", Region: o.region}}
	}
	if o.region == "" {
		o.region = o.acs[0].Region
	}
	return o, err
}

// here returns the URL of the Region that runs here, or nil.
func (o *options) here() *url.URL {
	for _, e := range o.acs {
		if e.Region == o.region {
			if u, err := url.Parse(e.URL); err == nil {
				return u
			}
		}
	}
	return nil
}

// inFlags rewrites an error about a field as one about the flag that filled it.
func (o *options) inFlags(err error) error {
	flag, detail := "", ""
	if e := new(saml.Error); errors.As(err, &e) {
		switch detail = e.Explain(); {
		case e.Reason == saml.ReasonMetadata:
			flag = "-idp-metadata " + o.idpMetadata
			if e.Rule != string(e.Reason) {
				detail = e.Rule + ": " + detail
			}
		case strings.HasPrefix(e.Rule, "Config.ACS") && o.byBaseURL, e.Rule == "Config.EntityID" && o.byBaseURL:
			flag = "-base-url"
		case strings.HasPrefix(e.Rule, "Config.ACS"), e.Rule == "Config.EntityID":
			flag = "-acs"
		}
	}
	if e := new(acs.Error); errors.As(err, &e) && strings.HasSuffix(e.Rule, ".Region") {
		flag, detail = "-region "+o.region, "want a Region of -acs"
	}
	if flag == "" {
		return err
	}
	return fmt.Errorf("%s: %s", flag, strings.ReplaceAll(detail, "xmltree: ", ""))
}
