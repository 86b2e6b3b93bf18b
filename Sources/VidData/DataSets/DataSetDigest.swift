import Crypto
import VidSystem
import VidTensor

extension DataSet {
    /// SHA-256 over every clip's name, label and part, in order: another one where a clip came, went, or changed sides.
    package var digest: String {
        var hash = SHA256()
        for entry in entries {
            hash.update(data: Array("\(entry.id)\0\(classes[entry.label])\0\(entry.part.rawValue)\0".utf8))
        }
        return hash.finalize().hexadecimal
    }
}
