extension ClipFormat {
    /// The extension that bytes with this beginning deserve, by the marks that formats begin with; nil where they tell nothing.
    /// About 300 bytes are enough.
    package static func fileExtension(ofBytes head: [UInt8]) -> String? {
        func has(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
            head.count >= offset + bytes.count && head[offset..<offset + bytes.count].elementsEqual(bytes)
        }
        func has(_ text: String, at offset: Int = 0) -> Bool { has(Array(text.utf8), at: offset) }
        if has(ClipHeader.magic) { return "bin" }
        if has([0x93] + Array("NUMPY".utf8)) { return "npy" }
        if has("RIFF"), has("WAVE", at: 8) { return "wav" }
        if has("RIFF"), has("AVI ", at: 8) { return "avi" }
        if has("ftypM4A", at: 4) { return "m4a" }
        if has("ftyp", at: 4) || has("moov", at: 4) || has("mdat", at: 4) || has("wide", at: 4) || has("free", at: 4) { return "mp4" }
        if has([0x1A, 0x45, 0xDF, 0xA3]) { return "mkv" }
        if has("fLaC") { return "flac" }
        if has("OggS") { return isTheora(head) ? "ogv" : "ogg" }
        if has("FORM"), has("AIF", at: 8) { return "aiff" }
        if has("ID3") { return "mp3" }
        if has("GIF8") { return "gif" }
        if has("FLV") { return "flv" }
        if has([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) { return "asf" }
        if has([0, 0, 1, 0xBA]) || has([0, 0, 1, 0xB3]) { return "mpg" }
        if has([0x47]), has([0x47], at: 188) { return "ts" }
        // Frames of sound without a container: eleven bits set, then the layer, 00 in ADTS alone.
        if head.count >= 2, head[0] == 0xFF, head[1] & 0xE0 == 0xE0 { return head[1] & 0x06 == 0 ? "aac" : "mp3" }
        return nil
    }

    /// Whether the first pages of an Ogg file announce a video.
    private static func isTheora(_ head: [UInt8]) -> Bool {
        let mark = Array("theora".utf8)
        return (0..<max(0, min(head.count, 512) - mark.count + 1)).contains { head[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}
