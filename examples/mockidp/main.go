// Command mockidp is a mock SAML 2.0 identity provider like Okta, for service providers in any language. Not for
// production.
//
//	mockidp [-listen 127.0.0.1:8701] [-base-url http://idp.localhost:8701] [-config FILE]
//
//	mockidp -control 127.0.0.1:8702 -control-token TOKEN
//	mockidp -provision https://scim.example/scim/v2 -provision-token TOKEN
//	mockidp attack -h
//	mockidp -healthcheck http://127.0.0.1:8701/healthz
//
// On a loopback address, a page composes the response to a sign-in, which is then signed for everyone who opens it;
// COMPOSE.md beside this file has its parameters for scripts. -sign-in password is a form like Okta's.
//
// -control opens an API like Okta's, and a page; CONTROL.md beside this file has examples for curl. -provision pushes
// users and groups by SCIM. -attack replaces answers with hostile ones: all answers, or those of an app or about a
// user. With -attack or -attacks, the API, the page and users who sign in can select attacks too.
//
// -sp-metadata registers a service provider. Without it and -config there is one user, and one app without a service
// provider. CONFIG.md beside this file documents the file of -config, and config.json is an example.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/program"
	"github.com/meridian-saml/meridian/mockidp"
)

func main() {
	program.Main("mockidp", func(ctx context.Context) (int, error) {
		if len(os.Args) > 1 && os.Args[1] == "attack" {
			return runAttack(ctx, os.Args[2:], os.Stdout, os.Stderr)
		}
		if isHealthcheck(os.Args[1:]) {
			return runHealthcheck(ctx, os.Args[2:])
		}
		if err := command(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
			return program.Usage, err
		}
		return program.OK, nil
	})
}

type options struct {
	listen, baseURL     string
	signIn              string
	config, configJSON  string
	anyAddress, verbose bool
	printConfig         bool
	strict, oddPaths    bool
	seed                uint64
	faults              []mockidp.Fault
	federation          int
	spMetadata          []string
	spSettings          spSettings
	anySP               bool
	insecureAnySP       bool
	selfRegistration    bool
	keys                keyOptions
	control             controlOptions

	set map[string]bool     // the flags that were given, also by environment variables
	env program.Environment // which of them were
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("mockidp", flag.ContinueOnError)
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8701", "`ADDRESS` to listen on; a loopback one")
	fs.StringVar(&o.config, "config", "", "JSON `FILE` of users, groups and apps; CONFIG.md documents it")
	fs.StringVar(&o.configJSON, "config-json", "", "the `JSON` itself, instead of -config")
	fs.Func("sp-metadata", "`FILE` or URL of a service provider's metadata, which is registered as an app for all users; "+
		"a URL may take 30 s to answer; repeatable", func(s string) error {
		o.spMetadata = append(o.spMetadata, s)
		return nil
	})
	fs.BoolVar(&o.selfRegistration, "self-registration", false,
		"let any user register a service provider on the page that refuses its request (default: on loopback)")
	fs.BoolVar(&o.anySP, "any-sp", false,
		"answer service providers that aren't registered: to the URL in the request; on loopback only")
	fs.BoolVar(&o.insecureAnySP, "insecure-any-sp", false,
		"allow -any-sp beyond loopback: any site that a user opens can then sign in as that user")
	o.keys.flags(fs)
	fs.StringVar(&o.baseURL, "base-url", "",
		"the `URL` that browsers use, such as http://idp.localhost:8701 (default: the listening address)")
	fs.BoolVar(&o.anyAddress, "allow-non-loopback", false,
		"allow -listen to be an address that other machines can reach, under the host of -base-url")
	fs.StringVar(&o.signIn, "sign-in", "", "`WAY` of signing in to apps: compose, a page on which the response is composed "+
		"and signed for everyone, or password (default: compose on a loopback address, else password)")
	fs.BoolVar(&o.strict, "strict", false, "refuse requests that some identity providers accept")
	fs.BoolVar(&o.oddPaths, "odd-paths", false,
		"serve at random paths and under random IDs, new at each start, which no client can depend on")
	fs.Uint64Var(&o.seed, "seed", 0, "`NUMBER` that makes random paths, message IDs and chances the same at each start")
	fs.IntVar(&o.federation, "federation", 0,
		"`NUMBER` of generated identity providers in the federation's metadata; FEDERATION.md documents it")
	fs.Func("fault", "`KIND[,for=3s][,status=502][,app=ID][,count=N][,chance=0.1][,endpoint=aggregate][,entity=ID]"+
		"[,url=URL]` of a fault; KIND is delay, drop, status, cut-page, cut-response, skew, wrong-content-type or duplicate, or one of "+
		"FEDERATION.md or LOGOUT.md; repeatable", o.addFault)
	o.spSettings.flags(fs)
	o.control.flags(fs)
	fs.BoolVar(&o.printConfig, "print-config", false,
		"print the configuration file of this identity provider, with all defaults and without private keys, and exit")
	fs.BoolVar(&o.verbose, "v", false, "log every sign-in, answer and refusal to standard error")
	err := program.Parse(fs, usage, args, help, func() (err error) {
		if o.env, err = program.ReadEnvironment(fs, "MOCKIDP", os.LookupEnv); err != nil {
			return err
		}
		o.set = map[string]bool{}
		fs.Visit(func(f *flag.Flag) { o.set[f.Name] = true })
		return o.check()
	})
	return o, o.env.Name(err)
}

const usage = `usage: mockidp [flags]
       mockidp attack -h
       mockidp -healthcheck [URL]

An environment variable is as good as a flag: MOCKIDP_BASE_URL is -base-url, and a line of MOCKIDP_SP_METADATA is one
-sp-metadata. A flag has precedence over its variable, and both over the file of -config.
`

func (o *options) check() error {
	host, _, err := net.SplitHostPort(o.listen)
	switch {
	case err != nil:
		return fmt.Errorf("-listen %q: want HOST:PORT", o.listen)
	case !o.anyAddress && !mockidp.IsLoopback(host):
		return fmt.Errorf("-listen %q is not a loopback address; -allow-non-loopback allows it", o.listen)
	case o.config != "" && o.configJSON != "":
		return errors.New("-config and -config-json exclude each other")
	}
	if err := o.keys.check(); err != nil {
		return err
	}
	return o.control.check()
}

// configuration returns the file's configuration, changed by the flags.
func (o *options) configuration(logs io.Writer) (mockidp.Config, error) {
	c, err := load(o.config, o.configJSON)
	if err == nil {
		host, _, _ := net.SplitHostPort(o.listen) // checked before
		err = cmp.Or(o.compose(&c, host), o.control.mutate(&c))
	}
	c.BaseURL, c.Seed, c.Faults = cmp.Or(o.baseURL, c.BaseURL), cmp.Or(o.seed, c.Seed), append(c.Faults, o.faults...)
	if o.set["federation"] {
		c.Federation.Entities = o.federation
	}
	if o.set["strict"] {
		c.Strict = o.strict
	}
	if o.set["any-sp"] {
		c.AnyServiceProvider = o.anySP
	}
	host, _, _ := net.SplitHostPort(o.listen)
	if o.set["self-registration"] {
		c.SelfRegistration = o.selfRegistration
	} else if !o.printConfig {
		c.SelfRegistration = c.SelfRegistration || mockidp.IsLoopback(host)
	}
	if err == nil && c.AnyServiceProvider && !o.insecureAnySP && !mockidp.IsLoopback(host) {
		err = errors.New("-any-sp is for loopback; -insecure-any-sp allows it beyond")
	}
	if o.set["odd-paths"] {
		c.OddPaths = o.oddPaths
	}
	c.Hosts = append(c.Hosts, o.control.hosts...)
	if o.verbose {
		c.Logger = slog.New(slog.NewTextHandler(logs, nil))
	}
	return c, err
}

// compose switches the mode in which everyone gets any response: as -sign-in says, else where only this machine can
// reach it. A printed configuration doesn't have the latter, because it may be used elsewhere.
func (o *options) compose(c *mockidp.Config, host string) error {
	switch o.signIn {
	case "":
		c.Compose = c.Compose || mockidp.IsLoopback(host) && !o.printConfig
	case "compose", "password":
		c.Compose = o.signIn == "compose"
	default:
		return fmt.Errorf("-sign-in: want compose or password, got %q", o.signIn)
	}
	return nil
}

func command(ctx context.Context, args []string, out, logs io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	return o.env.Name(o.run(ctx, out, logs))
}

func (o *options) run(ctx context.Context, out, logs io.Writer) error {
	c, err := o.configuration(logs)
	if err != nil {
		return err
	}
	if o.printConfig {
		return o.print(ctx, c, out)
	}
	// Listen first, so that a port in use is reported before a key is generated.
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	defer l.Close()
	done, err := o.keys.apply(&c, l.Addr().(*net.TCPAddr).IP.IsLoopback())
	defer done()
	if err != nil {
		return err
	}
	idp, err := mockidp.Open(c)
	if err != nil {
		return o.inFlags(err)
	}
	if err := o.addSPFiles(idp); err != nil {
		return err
	}
	pusher, err := o.control.pusher(idp)
	if err != nil {
		return o.inFlags(err)
	}
	idp.Listener = l
	idp.Start()
	defer idp.Close()
	var control strings.Builder // printed if both addresses are free
	stop, err := o.control.serve(idp, c.Logger, &control)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprint(out, "Mock identity provider, not for production.\n", control.String())
	if err := o.addSPURLs(ctx, idp, out); err != nil {
		return err
	}
	announce(out, idp, c.Compose)
	if pusher != nil {
		push(ctx, pusher, logs, o.verbose)
	}
	<-ctx.Done()
	return nil
}

// announce prints what to open.
func announce(out io.Writer, idp *mockidp.Server, compose bool) {
	for _, notice := range idp.Notices() {
		fmt.Fprintln(out, "Notice     "+notice)
	}
	if compose {
		fmt.Fprintln(out, "Compose    "+idp.ComposeURL())
	}
	fmt.Fprintln(out, "Sign in    "+idp.SignInURL())
	fmt.Fprintln(out, "Dashboard  "+idp.DashboardURL())
	for _, a := range idp.Apps() {
		if a.Kind == mockidp.SAML {
			fmt.Fprintf(out, "Metadata   %s  %s\n", idp.MetadataURL(a.ID), a.Label)
		}
	}
	fmt.Fprintf(out, "Federation %s\n", idp.FederationURL())
	if u, ok := idp.User(mockidp.DefaultLogin); ok && u.Password == mockidp.DefaultPassword {
		fmt.Fprintf(out, "Sign in as %s, password %s\n", mockidp.DefaultLogin, mockidp.DefaultPassword)
	}
}
