package probe

func (r *run) connectMCS() *Failure {
	if r.opts.challenge {
		return r.readChallenge()
	}
	n := r.result.Negotiation
	data := clientData{Name: r.opts.ClientName, Selected: n.Selected}
	switch n.Selected {
	case ProtocolRDP:
		data.EncryptionMethods = allMethods
	case ProtocolSSL:
	default:
		return &Failure{Stage: StageMCS, Kind: KindCredSSPRequired, Text: n.Selected.String() + " goes on with credentials, which a probe has not"}
	}
	answer, err := exchange(r.stream, connectInitial(data.encode()))
	if err != nil {
		return r.streamFailure(StageMCS, err)
	}
	info, err := parseConnectResponse(answer)
	if err != nil {
		return r.streamFailure(StageMCS, err)
	}
	r.result.MCS = &info
	return nil
}

// joinChannels sends Erect Domain, attaches a user and joins its channel and the I/O channel ([MS-RDPBCGR] 1.3.1.1).
func (r *run) joinChannels() *Failure {
	info := r.result.MCS
	if _, err := r.stream.Write(dataTPDU(erectDomainRequest())); err != nil {
		return r.streamFailure(StageDone, err)
	}
	answer, err := exchange(r.stream, attachUserRequest())
	if err == nil {
		info.UserChannel, err = parseAttachUserConfirm(answer)
	}
	if err != nil {
		return r.streamFailure(StageDone, err)
	}
	ioChannel := info.IOChannel
	if ioChannel == 0 {
		ioChannel = defaultIOChannel
	}
	for _, channel := range []uint16{info.UserChannel, ioChannel} {
		answer, err := exchange(r.stream, channelJoinRequest(info.UserChannel, channel))
		if err != nil {
			return r.streamFailure(StageDone, err)
		}
		joined, err := parseChannelJoinConfirm(answer)
		if err != nil {
			return r.streamFailure(StageDone, err)
		}
		info.ChannelsJoined = append(info.ChannelsJoined, joined)
	}
	return nil
}
