import VidSystem
import VidTensor

/// The group a clip's name tells of.
enum ClipGroup {
    /// UCF-101's way of naming, `v_Basketball_g01_c01`: clips of one `g` and number were cut from one video. The group is
    /// the name up to and with the first part, between underscores, of a `g` and two or more digits that another part
    /// follows; it holds within its class. Nil for other names.
    static func of(name: String, label: String) -> String? {
        let parts = PathText.stem(name).split(separator: "_", omittingEmptySubsequences: false)
        for (place, part) in parts.enumerated().dropLast() {
            guard part.utf8.first == UInt8(ascii: "g"), part.utf8.count >= 3,
                part.utf8.dropFirst().allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
            else { continue }
            return label + "/" + parts[...place].joined(separator: "_")
        }
        return nil
    }
}
