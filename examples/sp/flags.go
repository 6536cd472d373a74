package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

type options struct {
	listen, idpMetadata, baseURL, region string
	acs                                  []saml.Endpoint // ordered: the first is the default
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	malformed := false
	fs := flag.NewFlagSet("sp", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // an error is one line, printed by main
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8720", "`ADDRESS` to listen on")
	fs.StringVar(&o.idpMetadata, "idp-metadata", "", "`FILE` with the identity provider's metadata; required")
	fs.StringVar(&o.baseURL, "base-url", "http://sp.localhost:8720", "the `URL` that browsers use, where there is one Region")
	fs.StringVar(&o.region, "region", "", "the `NAME` of the Region that runs here (default: the first of -acs)")
	fs.Func("acs", "`REGION=URL` of an assertion consumer service; repeat it, in the order of the identity provider's app (default: BASE-URL/saml/acs)", func(s string) error {
		region, url, ok := strings.Cut(s, "=")
		if !ok || region == "" || url == "" {
			malformed = true // an error from here would repeat s, and a URL's password
		}
		o.acs = append(o.acs, saml.Endpoint{URL: url, Region: region})
		return nil
	})
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "usage: sp -idp-metadata FILE [flags]")
		fs.SetOutput(help)
		fs.PrintDefaults()
	case err != nil:
	case fs.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case malformed:
		err = errors.New("-acs: want REGION=URL")
	case o.idpMetadata == "":
		err = errors.New("-idp-metadata FILE is required")
	}
	if len(o.acs) == 0 {
		o.acs = []saml.Endpoint{{URL: strings.TrimRight(o.baseURL, "/") + "/saml/acs", Region: o.region}}
	}
	if o.region == "" {
		o.region = o.acs[0].Region
	}
	return o, err
}
