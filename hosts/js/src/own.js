/**
 * The fields that an object has itself. What a program or one of its libraries
 * has put on Object.prototype sets no policy, key or option.
 */
export const own = (object) => Object.assign(Object.create(null), object);
