/// Where the outputs of frozen layers are kept.
package struct FeatureKeeping: Sendable {
    /// From run to run; nil: nowhere.
    package let cache: (any FeatureCache)?
    /// During a run; where they are not, they come from the cache each time, or from running the layers again.
    package let keepsInMemory: Bool

    package init(cache: (any FeatureCache)? = nil, keepsInMemory: Bool = true) {
        self.cache = cache
        self.keepsInMemory = keepsInMemory
    }
}
