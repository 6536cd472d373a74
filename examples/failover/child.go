package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
)

// childFlag makes the program one of its own children. What the child is comes
// as one line of JSON on its standard input, where no list of processes shows
// it. It answers with one line on its standard output. It lives as long as its
// standard input stays open, so no child outlives the parent.
const childFlag = "-child-of-failover"

// Order is what a child is told to be: the identity provider, or a Region.
type order struct {
	Plan    plan   `json:"plan"`
	Region  string `json:"region,omitempty"` // "": the identity provider
	Dir     string `json:"dir,omitempty"`    // the Region's, kept from one process to the next
	Secret  string `json:"secret,omitempty"` // that the Regions share
	Token   string `json:"token,omitempty"`  // that the parent shows to the Region
	IdP     []byte `json:"idp,omitempty"`    // the identity provider's metadata
	Verbose bool   `json:"verbose,omitempty"`
}

// A plan is who is where. It is made before anything starts.
type plan struct {
	IdP     int    `json:"idp"` // port
	Regions []spot `json:"regions"`
}

// A spot is where a Region is: three ports.
type spot struct {
	corp.Place
	Portal  int `json:"portal"`
	Replica int `json:"replica"` // where the other Regions read
	Control int `json:"control"` // where the parent asks
}

func (s spot) url() string { return loopback.Origin(s.Host(), s.Portal) }
func (s spot) acs() string { return region.ACS(s.url()) }

// An answer is what a child says when it is up, or can't be.
type answer struct {
	Error     string `json:"error,omitempty"`
	Metadata  []byte `json:"metadata,omitempty"`  // the identity provider's
	Dashboard string `json:"dashboard,omitempty"` // its address
}

// runChild is all that a child does.
func runChild(in io.Reader, out, logs io.Writer) error {
	// Ctrl-C reaches all processes of a terminal; the parent ends the children.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	lines := bufio.NewReader(in)
	var o order
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &o)
	}
	if err != nil {
		return fmt.Errorf("a child without an order: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, lines) // until the parent closes it, or is gone
	}()
	logger := slog.New(slog.DiscardHandler)
	if o.Verbose {
		logger = slog.New(slog.NewTextHandler(logs, nil))
	}
	begin := startIdP
	if o.Region != "" {
		begin = startRegion
	}
	a, stop, err := begin(ctx, o, logger)
	if err != nil {
		a.Error = err.Error()
	}
	b, err := json.Marshal(a)
	if err == nil {
		_, err = fmt.Fprintf(out, "%s\n", b)
	}
	if a.Error == "" && err == nil {
		<-ctx.Done()
		stop()
	}
	if a.Error != "" {
		err = errors.New(a.Error)
	}
	return err
}
