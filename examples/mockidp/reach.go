package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// leastToken is how many characters a token must have if other machines can reach the control API.
const leastToken = 16

// reach holds the flags about who reaches the program, and by which names.
type reach struct {
	hosts                        []string // of the sign-in pages
	controlHosts, controlOrigins []string
	tokenFile                    string
}

func (o *reach) flags(fs *flag.FlagSet) {
	appendTo := func(list *[]string) func(string) error {
		return func(s string) error { *list = append(*list, s); return nil }
	}
	fs.Func("host", "`NAME` by which requests may come, besides that of -base-url, such as that of a container; "+
		"repeatable", appendTo(&o.hosts))
	fs.StringVar(&o.tokenFile, "control-token-file", "", "`FILE` whose content is the token, instead of -control-token")
	fs.Func("control-host", "`NAME` by which the control page may be opened, besides those of loopback; repeatable",
		appendTo(&o.controlHosts))
	fs.Func("control-origin", "`ORIGIN` of pages that may call the control API with the token, such as "+
		"http://localhost:5173 or, for any port, http://localhost:*; repeatable", func(s string) error {
		o.controlOrigins = append(o.controlOrigins, s)
		return oktaapi.CheckOrigin(s)
	})
}

// checkReach checks the address of -control and who may reach it, and reads the file of -control-token-file.
func (o *controlOptions) checkReach() error {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"-control-token", o.token != ""}, {"-control-token-file", o.tokenFile != ""},
		{"-control-host", len(o.controlHosts) > 0}, {"-control-origin", len(o.controlOrigins) > 0},
	} {
		if f.set && o.listen == "" {
			return fmt.Errorf("%s requires -control", f.name)
		}
	}
	if o.listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return fmt.Errorf("-control %q: want HOST:PORT", o.listen)
	}
	if o.tokenFile != "" {
		if o.token != "" {
			return errors.New("-control-token and -control-token-file exclude each other")
		}
		if o.token, err = readToken(o.tokenFile); err != nil {
			return fmt.Errorf("-control-token-file: %w", err)
		}
	}
	if !mockidp.IsLoopback(host) && len(o.token) < leastToken {
		return fmt.Errorf("-control %q is not a loopback address; it requires -control-token or -control-token-file "+
			"with at least %d characters", o.listen, leastToken)
	}
	return nil
}

// readToken returns the first and only line of a file.
func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4<<10))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("want one word in %s", path)
	}
	return token, nil
}
