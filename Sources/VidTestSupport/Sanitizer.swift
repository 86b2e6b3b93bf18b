import FoundationEssentials

/// Tells whether the tests run under a sanitizer (maintain.sanitize). A sanitizer uses many times the memory, so tests that
/// measure or limit memory are skipped.
package enum Sanitizer {
    package static let isOn = ProcessInfo.processInfo.environment["VIDCLASS_SANITIZED"] != nil
    package static let reason = "a sanitizer takes memory of its own"
}
