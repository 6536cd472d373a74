package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
	"github.com/meridian-saml/meridian/mockidp/scimpush"
)

// controlOptions are the flags for everything but the sign-in pages.
type controlOptions struct {
	listen, token             string
	provision, provisionToken string
	provisionApp              string
	attack                    []mockidp.StandingMutation
	attacks                   bool
	reach
}

func (o *controlOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.listen, "control", "",
		"`ADDRESS` of the control API and page, such as 127.0.0.1:8702; port 0 is a free one (default: none)")
	fs.StringVar(&o.token, "control-token", "",
		"`TOKEN` that the control API and page ask for; required beyond loopback, with 16 characters or more "+
			"(default: a random one, which is printed)")
	o.reach.flags(fs)
	fs.StringVar(&o.provision, "provision", "",
		"`URL` of a SCIM 2.0 service provider; users and groups are pushed there at every change")
	fs.StringVar(&o.provisionToken, "provision-token", "", "bearer `TOKEN` of -provision")
	fs.StringVar(&o.provisionApp, "provision-app", "",
		"`ID` of the app whose users and groups -provision pushes (default: all)")
	fs.Func("attack", "`ID[,app=ID][,user=LOGIN]` of an attack in place of every answer, or of an app's or a user's; "+
		"repeatable; mockidp attack -list prints them", o.addAttack)
	fs.BoolVar(&o.attacks, "attacks", false,
		"allow the control API, its page and users who sign in to select attacks; -attack implies it")
}

func (o *controlOptions) check() error {
	if err := o.checkReach(); err != nil {
		return err
	}
	switch {
	case (o.provision == "") != (o.provisionToken == ""):
		return errors.New("-provision and -provision-token require each other")
	case o.provision == "" && o.provisionApp != "":
		return errors.New("-provision-app requires -provision")
	}
	return nil
}

// serve starts the control API, and returns a function that stops it.
func (o *controlOptions) serve(idp *mockidp.Server, logger *slog.Logger, out io.Writer) (func(), error) {
	if o.listen == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, fmt.Errorf("-control: %w", err)
	}
	// No write timeout: waiting for a message takes up to a minute.
	api := oktaapi.New(idp, oktaapi.Config{
		Token: o.token, Logger: logger, Hosts: o.controlHosts, Origins: o.controlOrigins,
	})
	srv := &http.Server{
		Handler: api, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	go func() { _ = srv.Serve(l) }()
	token := "  token " + api.Token()
	if o.token != "" {
		token = "" // a given one may be a secret that logs shouldn't have
	}
	fmt.Fprintf(out, "Control    http://%s%s\n", l.Addr(), token)
	return func() { _ = srv.Close() }, nil
}

// pusher returns what -provision configures, or nil.
func (o *controlOptions) pusher(idp *mockidp.Server) (*scimpush.Pusher, error) {
	if o.provision == "" {
		return nil, nil
	}
	return scimpush.New(idp, scimpush.Config{BaseURL: o.provision, Token: o.provisionToken, App: o.provisionApp})
}

// push keeps a SCIM service provider up to date until ctx ends.
func push(ctx context.Context, p *scimpush.Pusher, logs io.Writer, verbose bool) {
	_ = p.Keep(ctx, func(r scimpush.Report, err error) { // its error is ctx's
		if err != nil {
			fmt.Fprintf(logs, "mockidp: provisioning: %v\n", err)
		} else if verbose {
			fmt.Fprintf(logs, "mockidp: provisioned: users %+v, groups %+v\n", r.Users, r.Groups)
		}
	})
}

// inFlags rewrites an error about a field of package mockidp as one about the flag that filled it, or about the
// file of -config.
func (o *options) inFlags(err error) error {
	text := strings.TrimPrefix(err.Error(), "mockidp: ")
	for _, f := range []struct{ field, flag string }{
		{"scimpush.Config.BaseURL", "-provision"},
		{"Config.BaseURL", "-base-url"},
		{"Config.Hosts", "-host"},
		{"Fault", "-fault"},
		{"Federation.Entities", "-federation"},
	} {
		if strings.Contains(text, f.field) {
			return fmt.Errorf("%s: %s", f.flag, strings.NewReplacer(f.field+".", "", f.field, "it").Replace(text))
		}
	}
	names := func(values ...string) bool {
		for _, v := range values {
			if v != "" && strings.Contains(text, strconv.Quote(v)) {
				return true
			}
		}
		return false
	}
	for _, f := range o.faults {
		if names(f.App) {
			return fmt.Errorf("-fault: %s", text)
		}
	}
	for _, a := range o.control.attack {
		if names(a.App, a.User, a.ID) {
			return fmt.Errorf("-attack: %s", text)
		}
	}
	switch {
	case names(o.control.provisionApp):
		return fmt.Errorf("-provision-app: %s", text)
	case o.config != "":
		return fmt.Errorf("-config %s: %s", o.config, text)
	case o.configJSON != "":
		return fmt.Errorf("-config-json: %s", text)
	}
	return err
}
