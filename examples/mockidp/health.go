package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/program"
)

// healthAddress is what -healthcheck asks by default.
const healthAddress = "http://127.0.0.1:8701/healthz"

// isHealthcheck reports whether the arguments ask for the health of a running program.
func isHealthcheck(args []string) bool {
	return len(args) > 0 && (args[0] == "-healthcheck" || args[0] == "--healthcheck")
}

// runHealthcheck asks a running mockidp how it is, for containers that have no curl. It returns the exit status: 0 if
// the answer is 200, 1 if it isn't, 2 for wrong arguments.
func runHealthcheck(ctx context.Context, args []string) (int, error) {
	address := healthAddress
	switch len(args) {
	case 0:
	case 1:
		address = args[0]
	default:
		return program.Usage, errors.New("-healthcheck takes one URL")
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return program.Usage, fmt.Errorf("-healthcheck: want a URL such as %s, got %q", healthAddress, address)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return program.Usage, err
	}
	// Without the proxy of the environment: the program is near.
	client := &http.Client{Transport: &http.Transport{DialContext: new(net.Dialer).DialContext, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return program.Failed, fmt.Errorf("not healthy: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return program.Failed, fmt.Errorf("not healthy: want 200, got %s", resp.Status)
	}
	return program.OK, nil
}
