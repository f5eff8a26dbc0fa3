package probe

import "fmt"

// Stage is a step of the connection sequence. In Result.Reached it is the last step completed, in Failure.Stage the step
// that failed, in Options.Until the step to stop after.
type Stage int

// The stages in the order in which a connection passes them. With Standard RDP Security there is no StageTLS: the
// connection goes from StageNegotiation to StageMCS.
const (
	StageNone        Stage = iota // nothing happened on the wire
	StageConnect                  // the TCP connection stands
	StageNegotiation              // the server answered the X.224 Connection Request and selected a protocol
	StageTLS                      // the TLS handshake is complete
	StageMCS                      // the MCS Connect Response was accepted; its GCC blocks are known
	StageDone                     // user attached, channels joined
)

var stageNames = [...]string{
	StageNone:        "none",
	StageConnect:     "connect",
	StageNegotiation: "negotiation",
	StageTLS:         "tls",
	StageMCS:         "mcs",
	StageDone:        "done",
}

// String gives the stage's name as it stands in JSON.
func (s Stage) String() string {
	if s < 0 || int(s) >= len(stageNames) {
		return fmt.Sprintf("Stage(%d)", int(s))
	}
	return stageNames[s]
}

// MarshalText writes the stage's name.
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Stage) UnmarshalText(text []byte) error {
	for i, name := range stageNames {
		if name == string(text) {
			*s = Stage(i)
			return nil
		}
	}
	return fmt.Errorf("unknown stage %q", text)
}
