import Foundation

/// Whether the tests run under a sanitizer (Scripts/sanitize.sh), which takes many times the memory: what measures or bounds memory
/// shows nothing then.
package enum Sanitizer {
    package static let isOn = ProcessInfo.processInfo.environment["VIDCLASS_SANITIZED"] != nil
    package static let reason = "a sanitizer takes memory of its own"
}
