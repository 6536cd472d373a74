package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// faults collects the values of -fault: a kind, and what it needs, such as
// "delay,for=3s,count=2" or "status,status=502,app=ID,chance=0.1".
type faults []mockidp.Fault

func (f *faults) String() string { return "" }

func (f *faults) Set(s string) error {
	parts := strings.Split(s, ",")
	fault := mockidp.Fault{Kind: mockidp.FaultKind(parts[0])}
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(p, "=")
		var err error
		switch name {
		case "app":
			fault.App = value
		case "count":
			fault.Count, err = strconv.Atoi(value)
		case "chance":
			fault.Chance, err = strconv.ParseFloat(value, 64)
		case "for":
			fault.For, err = time.ParseDuration(value)
		case "status":
			fault.Status, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("want app, count, chance, for or status, got %q", name)
		}
		if err != nil {
			return err
		}
	}
	*f = append(*f, fault)
	return nil
}
