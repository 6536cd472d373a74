package acs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"

	"github.com/meridian-saml/meridian/saml"
)

// soapDialer makes the connections of a soapClient. The address is checked after the name was resolved, for every
// connection, so that a name can't stand for another address later.
type soapDialer struct {
	private  bool // all addresses are allowed
	loopback bool // loopback addresses are allowed for hosts that mean this machine
}

func newSOAPDialer(cfg *Config) soapDialer {
	elsewhere := func(e saml.Endpoint) bool {
		u, err := url.Parse(e.URL)
		return err != nil || !saml.IsLoopback(u.Hostname())
	}
	return soapDialer{
		private: cfg.SOAP.AllowPrivateAddresses, loopback: !slices.ContainsFunc(cfg.SP.ACS(), elsewhere),
	}
}

func (d soapDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
		return d.check(host, resolved)
	}}
	if _, notLiteral := netip.ParseAddr(host); notLiteral != nil && saml.IsLoopback(host) {
		address = net.JoinHostPort("localhost", port) // resolvers don't know the names below it
	}
	return dialer.DialContext(ctx, network, address)
}

// check refuses an address, with its port, to which a host's name was resolved.
func (d soapDialer) check(host, resolved string) error {
	at, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	if d.private || saml.IsPublicAddress(ip) || d.loopback && saml.IsLoopback(host) && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("address %s is not public, and Config.SOAP.AllowPrivateAddresses is not set", ip)
}
