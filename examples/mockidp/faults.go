package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/hostile"
)

// splitPairs splits "first,name=value,…" and calls set for each pair.
func splitPairs(s string, set func(name, value string) error) (first string, err error) {
	parts := strings.Split(s, ",")
	for _, pair := range parts[1:] {
		name, value, _ := strings.Cut(pair, "=")
		err = cmp.Or(err, set(name, value))
	}
	return parts[0], err
}

// addFault adds a value of -fault: a kind, and its settings, such as "delay,for=3s,count=2" or
// "status,status=502,app=ID,chance=0.1".
func (o *options) addFault(s string) error {
	var f mockidp.Fault
	kind, err := splitPairs(s, func(name, value string) (err error) {
		switch name {
		case "app":
			f.App = value
		case "count":
			f.Count, err = strconv.Atoi(value)
		case "chance":
			f.Chance, err = strconv.ParseFloat(value, 64)
		case "for":
			f.For, err = time.ParseDuration(value)
		case "status":
			f.Status, err = strconv.Atoi(value)
		case "endpoint":
			f.Endpoint = mockidp.Endpoint(value)
		case "entity":
			f.Entity = value
		case "url":
			f.URL = value
		default:
			err = fmt.Errorf("want app, count, chance, for, status, endpoint, entity or url, got %q", name)
		}
		return err
	})
	f.Kind = mockidp.FaultKind(kind)
	o.faults = append(o.faults, f)
	return err
}

// addAttack adds a value of -attack: an ID, and whose answers it is for, such as
// "A03/assertion,app=payroll,user=alice@example.com".
func (o *controlOptions) addAttack(s string) error {
	var m mockidp.StandingMutation
	var err error
	m.ID, err = splitPairs(s, func(name, value string) error {
		switch name {
		case "app":
			m.App = value
		case "user":
			m.User = value
		default:
			return fmt.Errorf("want app or user, got %q", name)
		}
		return nil
	})
	if err == nil && m.ID == "" {
		err = errors.New("want the ID of an attack first")
	}
	o.attack = append(o.attack, m)
	return err
}

// mutate configures attacks in place of answers: those that -attack and the configuration file switch on, and those
// that users may select, with -attacks or where they compose responses.
func (o *controlOptions) mutate(c *mockidp.Config) error {
	c.StandingMutations = append(c.StandingMutations, o.attack...)
	if len(c.StandingMutations) == 0 && !o.attacks && !c.Compose {
		return nil
	}
	hostile.Arm(c)
	for _, m := range c.StandingMutations {
		switch {
		case slices.Contains(c.Mutations, m.ID):
		case slices.ContainsFunc(run.List(), func(e run.Entry) bool { return e.ID == m.ID }):
			return fmt.Errorf("attack: a browser can't send %q; mockidp attack can", m.ID)
		default:
			return fmt.Errorf("attack: unknown attack %q; mockidp attack -list prints them", m.ID)
		}
	}
	return nil
}
