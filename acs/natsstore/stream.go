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

// streamConfig is what both streams have in common. Create-if-absent is the
// stream's own rule, not a header of each message: at most one message a
// subject, and a second is refused rather than taking the first one's place.
// Direct reads, which a replica that is behind may answer, are off.
func (cfg *Config) streamConfig(name string, maxMsgs int64, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: cfg.Prefix + "_" + name, Subjects: subjects, Description: "Meridian: what the nodes of a Region know together",
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

// openStream finds or makes a stream, and insists on what the store relies on.
func openStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was quicker, with another MaxRequests
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

// sameStream compares what the store relies on: somebody else may have made
// the stream. A limit on bytes is the operator's to set: the stream refuses
// then, and drops nothing.
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
		{"discard_new_per_subject", true, got.DiscardNewPerSubject},
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
		{"is a mirror or has sources", false, got.Mirror != nil || len(got.Sources) > 0},
		{"subject_transform", false, got.SubjectTransform != nil},
		{"enough replicas", true, got.Replicas >= want.Replicas},
	} {
		if w, g := fmt.Sprint(setting.want), fmt.Sprint(setting.got); w != g {
			return &Error{Reason: ReasonStream, Rule: "stream " + want.Name, Detail: setting.name, Want: w, Got: g}
		}
	}
	return nil
}
