/** What the storage costs a month, from what is in the buckets or from what somebody expects, on published prices. */
export { DAYS_A_MONTH, type Estimate, estimate, type PlaceUsage, steadyState, type Traffic } from './estimate.ts';
export { type PriceList, parsePriceLists } from './price-list.ts';
export { priceLists } from './prices.ts';
export { costJson, costText } from './report.ts';
export { givenUsage, measureUsage, type Usage } from './usage.ts';
