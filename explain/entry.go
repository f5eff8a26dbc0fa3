package explain

// Group is a kind of entry, and the heading under which it is listed.
type Group string

// The groups, in the order of the list.
const (
	GroupGuide     Group = "The guide"
	GroupFinding   Group = "Findings of xrdpfix"
	GroupWindows   Group = "Windows, mstsc"
	GroupMac       Group = "Windows App, macOS and mobile"
	GroupFreeRDP   Group = "FreeRDP"
	GroupRemmina   Group = "Remmina"
	GroupGuacamole Group = "Guacamole"
	GroupEvent     Group = "Windows events"
	GroupStatus    Group = "NTSTATUS, HRESULT"
	GroupServer    Group = "A Windows server"
	GroupLog       Group = "Lines of xrdp.log"
)

// Groups are all groups in the order of the list.
var Groups = []Group{GroupGuide, GroupFinding, GroupWindows, GroupMac, GroupFreeRDP, GroupRemmina, GroupGuacamole,
	GroupEvent, GroupStatus, GroupServer, GroupLog}

// Known says how well the meaning of an entry is founded.
type Known string

// The foundations.
const (
	// Documented: the maker of the program says so; Source is the page.
	Documented Known = "documented"
	// InSource: it was read in the source of the program; Source names it.
	InSource Known = "source"
	// Measured: it was brought about on real servers.
	Measured Known = "measured"
	// Seen: nobody documents it; Source is where people met it.
	Seen Known = "seen"
	// Undocumented: neither documented nor seen in any report about xrdp.
	Undocumented Known = "undocumented"
)

// Entry explains one thing that somebody may have read.
type Entry struct {
	// ID is stable, kebab-case, and can be asked for.
	ID    string
	Group Group
	// Title is the thing itself in one line: a code with its name, a message.
	Title string
	// Said are the words by which it is recognised, beside ID. Case, quotes
	// and the width of blanks do not matter.
	Said []string
	// Codes are the numbers by which it is recognised.
	Codes []Code
	// Text says what it means, in paragraphs parted by an empty line.
	Text string
	// Causes are finding codes, or a few words each.
	Causes []string
	// Find tells the possible causes apart, Mend ends the trouble. Together
	// they are never empty.
	Find, Mend []Step
	// Advice is what is often advised instead, and what it does.
	Advice string
	Known  Known
	Source string
}

// Step is something to do.
type Step struct {
	// Line is a command to paste, or a place to go to.
	Line string
	// Note says where, or what for.
	Note string
}

// Space is where a number has its meaning.
type Space string

// The spaces.
const (
	SpaceMSTSC      Space = "mstsc"           // IMsTscAxEvents::OnDisconnected
	SpaceExtended   Space = "extended"        // ExtendedDisconnectReasonCode
	SpaceMac        Space = "macos"           // Windows App and its predecessors on macOS, iOS and Android
	SpaceExit       Space = "freerdp-exit"    // enum XF_EXIT_CODE
	SpaceFreeRDP    Space = "freerdp"         // FREERDP_ERROR_CONNECT_CLASS
	SpaceGuacamole  Space = "guacamole"       // guac_protocol_status
	SpaceTermDD     Space = "termdd"          // events of TermDD
	SpaceSchannel   Space = "schannel"        // events of Schannel
	SpaceRDPClient  Space = "rdpclient"       // events of TerminalServices-RDPClient
	SpaceStatus     Space = "status"          // NTSTATUS and HRESULT
	SpaceNegFailure Space = "rdp-neg-failure" // failureCode of RDP_NEG_FAILURE, MS-RDPBCGR 2.2.1.2.2
)

// Code is a number with its space.
type Code struct {
	Space Space
	N     uint32
}

// Match is an entry that was recognised in a text.
type Match struct {
	Entry
	// Heard is the part of the text by which it was recognised, and what was
	// made of it.
	Heard string
	// Line is the line of xrdp.log, where it was one.
	Line *Line
}

// Answer is what is known about a text.
type Answer struct {
	// Matches are certain, the most telling first.
	Matches []Match
	// Near are other entries that resemble the text, where nothing matches.
	Near []Entry
}

func do(line, note string) Step { return Step{Line: line, Note: note} }

// The steps that many entries share.
var (
	stepCheck     = do("xrdpfix check", "on the server: the evidence")
	stepApply     = do("xrdpfix apply", "on the server: mends it, proves it, or puts all back")
	stepProbe     = do("xrdpfix probe HOST", "from the client's side: what the server offers")
	stepLog       = do("xrdpfix log --failed", "on the server: who failed, and why")
	stepShow      = do("xrdpfix cert show", "on the server: the certificate and its fingerprints")
	stepClient    = do("xrdpfix client", "on the server: files and steps for the client")
	stepWindows   = do("xrdpfix client windows", "on the server: makes Windows trust and find it")
	stepWin7      = do("xrdpfix client win7", "on the server: turns on TLS 1.2 in Windows 7")
	stepGuacamole = do("xrdpfix client guacamole", "on the server: its parameters, with the fingerprint")
)
