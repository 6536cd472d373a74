package natsstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// The subjects below Config.Prefix.
const (
	requestSubject = ".request."
	recordSubject  = ".record."
	sinceSubject   = ".since."
)

// streamConfig returns the settings of a stream. A subject has at most one message, and a second is refused.
// Direct reads are off, because a replica that is behind may answer them.
func (cfg *Config) streamConfig(name string, maxMsgs int64, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: cfg.Prefix + "_" + name, Subjects: subjects, Description: "Meridian: records that the nodes of a Region share",
		Retention: jetstream.LimitsPolicy, Storage: cfg.Storage, Replicas: cfg.Replicas,
		Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: 1,
		MaxMsgs: maxMsgs, MaxBytes: -1, AllowMsgTTL: true, AllowDirect: false,
	}
}

func (cfg *Config) requests() jetstream.StreamConfig {
	return cfg.streamConfig("requests", int64(cfg.MaxRequests), cfg.Prefix+requestSubject+"*")
}

func (cfg *Config) records() jetstream.StreamConfig {
	return cfg.streamConfig("records", -1, cfg.Prefix+recordSubject+"*", cfg.Prefix+sinceSubject+"*")
}

// openStream opens or creates a stream, and checks the settings that the store relies on.
func openStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was first, with another MaxRequests
			stream, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return nil, unavailable("stream "+want.Name, err)
	}
	got := stream.CachedInfo().Config
	if err := sameStream(want, got); err != nil {
		return nil, err
	}
	if want.MaxMsgs > 0 && got.MaxMsgs != want.MaxMsgs {
		got.MaxMsgs = want.MaxMsgs
		if stream, err = js.UpdateStream(ctx, got); err != nil {
			return nil, unavailable("Config.MaxRequests, stream "+want.Name, err)
		}
	}
	return stream, nil
}

// sameStream checks the settings that the store relies on. A limit on bytes is accepted: a full stream refuses
// messages, and drops none.
func sameStream(want, got jetstream.StreamConfig) error {
	slices.Sort(want.Subjects)
	slices.Sort(got.Subjects)
	for _, setting := range []struct {
		name      string
		want, got any
	}{
		{"subjects", want.Subjects, got.Subjects},
		{"storage", want.Storage, got.Storage},
		{"retention", want.Retention, got.Retention},
		{"discard", want.Discard, got.Discard},
		{"discard_new_per_subject", want.DiscardNewPerSubject, got.DiscardNewPerSubject},
		{"max_msgs_per_subject", int64(1), got.MaxMsgsPerSubject},
		{"limit on messages", want.MaxMsgs > 0, got.MaxMsgs > 0},
		{"max_age", want.MaxAge, got.MaxAge},
		{"allow_msg_ttl", true, got.AllowMsgTTL},
		{"subject_delete_marker_ttl", want.SubjectDeleteMarkerTTL, got.SubjectDeleteMarkerTTL},
		{"allow_direct", false, got.AllowDirect},
		{"deny_delete", false, got.DenyDelete},
		{"sealed", false, got.Sealed},
		{"no_ack", false, got.NoAck},
		{"persist_mode", want.PersistMode, got.PersistMode},
		{"mirror or sources", false, got.Mirror != nil || len(got.Sources) > 0},
		{"subject_transform", false, got.SubjectTransform != nil},
		{"enough replicas", true, got.Replicas >= want.Replicas},
	} {
		if w, g := fmt.Sprint(setting.want), fmt.Sprint(setting.got); w != g {
			return &Error{Reason: ReasonStream, Rule: "stream " + want.Name, Detail: setting.name, Want: w, Got: g}
		}
	}
	return nil
}
